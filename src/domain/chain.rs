//! Walking the chain of events: does each follow from the one before?

use crate::domain::event::{Entry, Head, Personal};

/// What is wrong with an event, in words that follow its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The numbers have a gap before it.
    Missing { expected: u64 },
    /// What names a person in it was altered.
    Personal,
    /// It was altered, or does not follow from the one before.
    Hash,
    /// It was not written with the key of this store.
    Mac,
}

impl Break {
    #[must_use]
    pub fn words(self, seq: u64) -> String {
        match self {
            Self::Missing { expected } if expected + 1 >= seq => {
                format!("event {expected} is missing")
            }
            Self::Missing { expected } => format!("events {expected} to {} are missing", seq - 1),
            Self::Personal => {
                format!("event {seq} was altered: its user, device, reason or details")
            }
            Self::Hash => format!("event {seq} was altered, or does not follow the one before it"),
            Self::Mac => format!("event {seq} was not written with this store's key"),
        }
    }
}

/// What a stored event brings to prove itself.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'e> {
    pub seq: u64,
    /// Absent once a person's name was taken out of the event.
    pub salt: Option<&'e [u8]>,
    pub personal: &'e [u8],
    pub hash: &'e [u8],
    pub mac: &'e [u8],
}

/// Makes the MAC of an event.
pub type Mac<'m> = &'m dyn Fn(&Head) -> [u8; 32];

/// Where the walk is.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    pub head: Head,
    pub events: u64,
}

impl Chain {
    #[must_use]
    pub const fn from(start: Head) -> Self {
        Self { head: start, events: 0 }
    }

    /// One event on. Without a key `mac` is not asked for.
    ///
    /// # Errors
    /// What is wrong with the event; the walk can't go on after it.
    pub fn next(
        &mut self,
        entry: &Entry<'_>,
        proof: &Proof<'_>,
        mac: Option<Mac<'_>>,
    ) -> Result<(), Break> {
        let expected = self.head.seq + 1;
        if proof.seq != expected {
            return Err(Break::Missing { expected });
        }
        let is_personal_sound = match proof.salt {
            Some(salt) => entry.personal.hash(salt)[..] == *proof.personal,
            None => entry.personal == Personal::default(),
        };
        if !is_personal_sound {
            return Err(Break::Personal);
        }
        let personal = proof.personal.try_into().map_err(|_| Break::Personal)?;
        let hash = entry.chain_hash(&self.head, personal);
        if hash[..] != *proof.hash {
            return Err(Break::Hash);
        }
        let head = Head { seq: expected, hash };
        if mac.is_some_and(|mac| mac(&head)[..] != *proof.mac) {
            return Err(Break::Mac);
        }
        self.head = head;
        self.events += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'e>(user: Option<&'e str>, outcome: &'e str) -> Entry<'e> {
        Entry {
            at: 1000,
            verb: "verify",
            outcome,
            operator_uid: 7,
            operator_claim: Some("bob"),
            ticket: None,
            proof: None,
            user_id: Some(&[1; 16]),
            status: Some("enabled"),
            rev: Some(3),
            factor: Some("totp"),
            was_status: None,
            personal: Personal { user, device: user.map(|_| "phone"), ..Personal::default() },
        }
    }

    /// The key of these tests: one byte.
    fn mac(head: &Head) -> [u8; 32] {
        head.hash.map(|byte| byte ^ 0x55)
    }

    struct Stored {
        seq: u64,
        salt: Option<[u8; 16]>,
        personal: [u8; 32],
        hash: [u8; 32],
        mac: [u8; 32],
    }

    fn stored(chain: &Chain, entry: &Entry<'_>) -> Stored {
        let personal = entry.personal.hash(&[9; 16]);
        let hash = entry.chain_hash(&chain.head, &personal);
        let head = Head { seq: chain.head.seq + 1, hash };
        Stored { seq: head.seq, salt: Some([9; 16]), personal, hash, mac: mac(&head) }
    }

    fn next(chain: &mut Chain, entry: &Entry<'_>, stored: &Stored) -> Result<(), Break> {
        let proof = Proof {
            seq: stored.seq,
            salt: stored.salt.as_ref().map(|s| &s[..]),
            personal: &stored.personal,
            hash: &stored.hash,
            mac: &stored.mac,
        };
        chain.next(entry, &proof, Some(&mac))
    }

    fn start() -> Chain {
        Chain::from(Head::START)
    }

    #[test]
    fn events_that_follow_pass_also_without_the_name_of_a_person() {
        let mut chain = start();
        for outcome in ["accepted", "rejected"] {
            let entry = entry(Some("alice"), outcome);
            let stored = stored(&chain, &entry);
            next(&mut chain, &entry, &stored).unwrap();
        }
        let named = entry(Some("alice"), "replayed");
        let erased = Stored { salt: None, ..stored(&chain, &named) };
        next(&mut chain, &entry(None, "replayed"), &erased).unwrap();
        assert_eq!((chain.events, chain.head.seq), (3, 3));
    }

    #[test]
    fn each_alteration_has_its_own_words() {
        let sound = entry(Some("alice"), "accepted");
        let good = || stored(&start(), &sound);
        let altered = |change: fn(&mut Entry<'static>)| {
            let mut altered = entry(Some("alice"), "accepted");
            change(&mut altered);
            next(&mut start(), &altered, &good()).unwrap_err()
        };
        assert_eq!(altered(|e| e.at = 999), Break::Hash);
        assert_eq!(altered(|e| e.verb = "reset"), Break::Hash);
        assert_eq!(altered(|e| e.outcome = "rejected"), Break::Hash);
        assert_eq!(altered(|e| e.operator_uid = 0), Break::Hash);
        assert_eq!(altered(|e| e.operator_claim = None), Break::Hash);
        assert_eq!(altered(|e| e.ticket = Some("T-1")), Break::Hash);
        assert_eq!(altered(|e| e.proof = Some("video")), Break::Hash);
        assert_eq!(altered(|e| e.user_id = Some(&[2; 16])), Break::Hash);
        assert_eq!(altered(|e| e.status = Some("disabled")), Break::Hash);
        assert_eq!(altered(|e| e.rev = Some(4)), Break::Hash);
        assert_eq!(altered(|e| e.factor = None), Break::Hash);
        assert_eq!(altered(|e| e.was_status = Some("disabled")), Break::Hash);
        assert_eq!(altered(|e| e.personal.user = Some("mallory")), Break::Personal);
        assert_eq!(altered(|e| e.personal.device = None), Break::Personal);
        assert_eq!(altered(|e| e.personal.reason = Some("none")), Break::Personal);
        assert_eq!(altered(|e| e.personal.detail = Some("{}")), Break::Personal);
        assert_eq!(altered(|e| e.personal.was = Some("{}")), Break::Personal);

        let refused = |stored: Stored| next(&mut start(), &sound, &stored).unwrap_err();
        assert_eq!(refused(Stored { seq: 3, ..good() }), Break::Missing { expected: 1 });
        assert_eq!(
            refused(Stored { salt: None, ..good() }),
            Break::Personal,
            "a name without salt"
        );
        assert_eq!(refused(Stored { personal: [0; 32], ..good() }), Break::Personal);
        assert_eq!(refused(Stored { hash: [0; 32], ..good() }), Break::Hash);
        assert_eq!(refused(Stored { mac: [0; 32], ..good() }), Break::Mac);
        assert_eq!(Break::Missing { expected: 2 }.words(3), "event 2 is missing");
        assert_eq!(Break::Missing { expected: 2 }.words(5), "events 2 to 4 are missing");
    }

    #[test]
    fn an_event_of_another_place_does_not_follow() {
        let entry = entry(Some("alice"), "accepted");
        let mut chain = start();
        let first = stored(&chain, &entry);
        next(&mut chain, &entry, &first).unwrap();
        let moved = Stored { seq: 2, ..first };
        assert_eq!(next(&mut chain, &entry, &moved), Err(Break::Hash));
    }
}
