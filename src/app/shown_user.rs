//! The user whom the operator was shown, so that a change that follows is made to nobody else.

use std::cell::RefCell;
use std::rc::Rc;

use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::shown_state::{ShownState, changed_meanwhile};
use crate::domain::user::User;

/// Whom the run is about, once the operator was shown them. A verb of a login service shows nobody.
#[derive(Clone, Default)]
pub struct ShownUser(Rc<RefCell<Option<Bound>>>);

struct Bound {
    to: Whom,
    /// The lines about the user are on the screen.
    is_displayed: bool,
}

enum Whom {
    /// The name was a new one.
    Nobody,
    InState(Box<ShownState>),
    /// Changed by this run since, so that the state is another one.
    Changed(Id),
}

impl ShownUser {
    /// From now on the run is about this user as they are now. Refuses another user than the one whom it was about.
    pub fn bind(&self, user: &User) -> Result<(), Refusal> {
        let mut bound = self.0.borrow_mut();
        let is_new = match bound.as_ref().map(|bound| &bound.to) {
            None => true,
            Some(Whom::InState(state)) if state.id() == user.id => !state.is_state_of(user),
            Some(Whom::Changed(id)) if *id == user.id => false,
            Some(_) => return Err(changed_meanwhile(&user.name)),
        };
        if is_new {
            let to = Whom::InState(Box::new(ShownState::of(user)));
            *bound = Some(Bound { to, is_displayed: false });
        }
        Ok(())
    }

    /// The same for a user who is displayed now. `false` if they are on the screen already.
    pub fn display(&self, user: &User) -> Result<bool, Refusal> {
        self.bind(user)?;
        let mut bound = self.0.borrow_mut();
        Ok(bound.as_mut().is_none_or(|bound| !std::mem::replace(&mut bound.is_displayed, true)))
    }

    /// From now on the run is about a name that nobody has.
    pub fn bind_to_nobody(&self) {
        let mut bound = self.0.borrow_mut();
        if bound.is_none() {
            *bound = Some(Bound { to: Whom::Nobody, is_displayed: false });
        }
    }

    /// Refuses another user than the one who was shown, and that one in another state.
    pub fn check(&self, name: &UserName, found: Option<&User>) -> Result<(), Refusal> {
        let is_same = match (self.0.borrow().as_ref().map(|bound| &bound.to), found) {
            (None, _) | (Some(Whom::Nobody), None) => true,
            (Some(Whom::InState(state)), Some(user)) => state.is_state_of(user),
            (Some(Whom::Changed(id)), Some(user)) => *id == user.id,
            (Some(_), _) => false,
        };
        if is_same { Ok(()) } else { Err(changed_meanwhile(name)) }
    }

    /// A change of this run was committed.
    pub fn set_changed(&self) {
        let mut bound = self.0.borrow_mut();
        *bound = match bound.take() {
            Some(Bound { to: Whom::InState(state), is_displayed }) => {
                Some(Bound { to: Whom::Changed(state.id()), is_displayed })
            }
            Some(Bound { to: Whom::Nobody, .. }) => None,
            other => other,
        };
    }
}
