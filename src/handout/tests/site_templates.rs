//! site_templates
