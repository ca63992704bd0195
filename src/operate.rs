//! What an operator does to users: authorize, ask, change one or many in one transaction, notify.

pub mod approval;
pub mod authorize;
pub mod change;
mod known_group;
pub mod notify;
pub mod user_list;

pub use approval::{close_request, find_request, open_requests, request_approval};
pub use authorize::{UsedOptions, authorize, begin_approval, can_run, operator_uid};
pub use change::{change_bulk, change_user, confirm_change, plan_bulk};
pub use known_group::{EmptyGroup, empty_policy_groups, require_known_group, require_member};
pub use notify::{CommittedChange, notify_activation, notify_activations, notify_change};
pub use user_list::{UserList, read_user_list};
