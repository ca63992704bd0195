//! What an operator does to users: authorize, ask, change one or many in one transaction, notify.

pub mod approval;
pub mod authorize;
pub mod bulk;
pub mod change;
mod identity;
pub mod inventory;
mod known_group;
mod new_user;
pub mod notify;
pub mod page_mail;
mod people;
pub mod user_list;

pub use approval::{close_request, find_request, open_requests, request_approval};
pub use authorize::{
    UsedOptions, authorize, begin_approval, can_run, groups_of, operator_uid, permits, uid_of,
};
pub use bulk::{change_bulk, plan_bulk};
pub use change::{change_user, confirm_change};
pub use identity::{ask_about, ask_for_name, is_name_typed, show, show_person};
pub use known_group::{
    EmptyGroup, GroupRule, empty_policy_groups, require_known_group, require_member,
};
pub use new_user::{confirm_new_user, similar_names};
pub use notify::{
    CommittedChange, notify_activation, notify_activations, notify_change, notify_own_change,
};
pub use people::{Found, find_people, people_with_mail};
pub use user_list::{UserList, read_new_users, read_user_list};
