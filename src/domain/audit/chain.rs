//! Verifies the hash chain of the audit log, event by event.

use crate::domain::audit::beginning::Beginning;
use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, Personal};
use crate::domain::audit::logged_tokens::LoggedTokens;
use crate::domain::audit::logged_users::LoggedUsers;
use crate::domain::audit::proved_event::{EventProof, Mac, prove_event};
use crate::domain::audit::prunings::Prunings;

/// How far the chain has been verified.
#[derive(Debug)]
pub struct Chain {
    /// Whether the log may have no event about some users.
    pub may_lack_users: bool,
    pub head: Head,
    pub events: u64,
    pub users: LoggedUsers,
    pub tokens: LoggedTokens,
    /// For a log that was never pruned.
    pub beginning: Beginning,
    pub prunings: Prunings,
}

impl Chain {
    #[must_use]
    pub fn from(start: Head) -> Self {
        Self {
            may_lack_users: false,
            head: start,
            events: 0,
            users: LoggedUsers::default(),
            tokens: LoggedTokens::default(),
            beginning: Beginning::default(),
            prunings: Prunings::default(),
        }
    }

    /// Verifies the next event. Without a key `mac` is `None` and MACs are not checked.
    ///
    /// After an error the chain can't be followed any further.
    pub fn next(
        &mut self,
        entry: &EventFields<'_>,
        proof: &EventProof<'_>,
        mac: Option<Mac<'_>>,
    ) -> Result<(), ChainError> {
        let expected = self.head.seq + 1;
        if proof.seq != expected {
            return Err(ChainError::Missing { expected });
        }
        let personal_matches = match proof.salt {
            Some(salt) => entry.personal.hash(salt)[..] == *proof.personal,
            None => entry.personal == Personal::default(),
        };
        if !personal_matches {
            return Err(ChainError::Personal);
        }
        let proved = prove_event(entry, proof, &self.head.hash, mac)?;
        self.head = proved.head;
        self.events += 1;
        self.tokens.add(&proved.head, entry)?;
        let is_first = self.users.add(&proved, entry, proof.salt.is_none())?;
        self.beginning.add(entry, is_first);
        self.prunings.add(proof.seq, entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::audit::chain::*;
    use crate::domain::audit::event::Subject;
    use crate::domain::secret::KeyGeneration;

    fn entry<'e>(user: Option<&'e str>, outcome: &'e str) -> EventFields<'e> {
        EventFields {
            at: 1000,
            verb: "verify",
            outcome,
            operator_uid: 7,
            operator_claim: Some("bob"),
            ticket: None,
            proof: None,
            user_id: Some(&[1; 16]),
            token_id: None,
            status: Some("enabled"),
            rev: Some(3),
            factor: Some("totp"),
            was_status: None,
            was_rev: None,
            was_stamp: None,
            generation: KeyGeneration::FIRST,
            personal: Personal { user, device: user.map(|_| "phone"), ..Personal::default() },
        }
    }

    /// Stands in for a keyed MAC of the first generation.
    fn mac(
        head: &Head,
        subject: Option<Subject<'_>>,
        generation: KeyGeneration,
    ) -> Option<[u8; 32]> {
        let rev = subject.map_or(0, |subject| u8::try_from(subject.rev).unwrap());
        (generation == KeyGeneration::FIRST).then(|| head.hash.map(|byte| byte ^ 0x55 ^ rev))
    }

    const SECOND: KeyGeneration = KeyGeneration::new(2).unwrap();

    struct Stored {
        seq: u64,
        salt: Option<[u8; 16]>,
        personal: [u8; 32],
        hash: [u8; 32],
        mac: [u8; 32],
    }

    fn stored(chain: &Chain, entry: &EventFields<'_>) -> Stored {
        let personal = entry.personal.hash(&[9; 16]);
        let hash = entry.chain_hash(&chain.head, &personal);
        let head = Head { seq: chain.head.seq + 1, hash };
        Stored {
            seq: head.seq,
            salt: Some([9; 16]),
            personal,
            hash,
            mac: mac(&head, entry.subject(), KeyGeneration::FIRST).unwrap(),
        }
    }

    fn next(chain: &mut Chain, entry: &EventFields<'_>, stored: &Stored) -> Result<(), ChainError> {
        let proof = EventProof {
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
    fn a_chain_is_valid_also_where_personal_fields_were_erased() {
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
    fn each_alteration_is_found_and_named() {
        let sound = entry(Some("alice"), "accepted");
        let good = || stored(&start(), &sound);
        let altered = |change: fn(&mut EventFields<'static>)| {
            let mut altered = entry(Some("alice"), "accepted");
            change(&mut altered);
            next(&mut start(), &altered, &good()).unwrap_err()
        };
        assert_eq!(altered(|e| e.at = 999), ChainError::Hash);
        assert_eq!(altered(|e| e.verb = "reset"), ChainError::Hash);
        assert_eq!(altered(|e| e.outcome = "rejected"), ChainError::Hash);
        assert_eq!(altered(|e| e.operator_uid = 0), ChainError::Hash);
        assert_eq!(altered(|e| e.operator_claim = None), ChainError::Hash);
        assert_eq!(altered(|e| e.ticket = Some("T-1")), ChainError::Hash);
        assert_eq!(altered(|e| e.proof = Some("video")), ChainError::Hash);
        assert_eq!(altered(|e| e.user_id = Some(&[2; 16])), ChainError::Hash);
        assert_eq!(altered(|e| e.status = Some("disabled")), ChainError::Hash);
        assert_eq!(altered(|e| e.rev = Some(4)), ChainError::Hash);
        assert_eq!(altered(|e| e.factor = None), ChainError::Hash);
        assert_eq!(altered(|e| e.was_status = Some("disabled")), ChainError::Hash);
        assert_eq!(altered(|e| e.was_rev = Some(2)), ChainError::Hash);
        assert_eq!(altered(|e| e.was_stamp = Some(&[0; 16])), ChainError::Hash);
        assert_eq!(altered(|e| e.generation = SECOND), ChainError::Hash);
        assert_eq!(altered(|e| e.personal.user = Some("mallory")), ChainError::Personal);
        assert_eq!(altered(|e| e.personal.device = None), ChainError::Personal);
        assert_eq!(altered(|e| e.personal.reason = Some("none")), ChainError::Personal);
        assert_eq!(altered(|e| e.personal.detail = Some("{}")), ChainError::Personal);
        assert_eq!(altered(|e| e.personal.was = Some("{}")), ChainError::Personal);

        let refused = |stored: Stored| next(&mut start(), &sound, &stored).unwrap_err();
        assert_eq!(refused(Stored { seq: 3, ..good() }), ChainError::Missing { expected: 1 });
        assert_eq!(
            refused(Stored { salt: None, ..good() }),
            ChainError::Personal,
            "a name without salt"
        );
        assert_eq!(refused(Stored { personal: [0; 32], ..good() }), ChainError::Personal);
        assert_eq!(refused(Stored { hash: [0; 32], ..good() }), ChainError::Hash);
        assert_eq!(refused(Stored { mac: [0; 32], ..good() }), ChainError::Mac);
        assert_eq!(ChainError::Missing { expected: 2 }.words(3), "event 2 is missing");
        assert_eq!(ChainError::Missing { expected: 2 }.words(5), "events 2 to 4 are missing");
    }

    #[test]
    fn an_event_of_another_generation_of_the_key_is_not_altered() {
        let mut second = entry(Some("alice"), "accepted");
        second.generation = SECOND;
        let stored = stored(&start(), &second);
        assert_eq!(next(&mut start(), &second, &stored), Err(ChainError::Generation(SECOND)));
        second.generation = KeyGeneration::FIRST;
        assert_eq!(next(&mut start(), &second, &stored), Err(ChainError::Hash));
    }

    #[test]
    fn a_mac_that_names_no_user_is_one_of_an_older_program() {
        let old = |entry: &EventFields<'_>| {
            let stored = stored(&start(), entry);
            let head = Head { seq: 1, hash: stored.hash };
            Stored { mac: mac(&head, None, KeyGeneration::FIRST).unwrap(), ..stored }
        };
        let mut entry = entry(Some("alice"), "accepted");
        assert_eq!(next(&mut start(), &entry, &old(&entry)), Ok(()));
        entry.was_stamp = Some(&[3; 16]);
        assert_eq!(next(&mut start(), &entry, &old(&entry)), Err(ChainError::Mac));
        (entry.was_rev, entry.was_stamp) = (Some(2), None);
        assert_eq!(next(&mut start(), &entry, &old(&entry)), Err(ChainError::Mac));
    }

    #[test]
    fn a_moved_event_is_found() {
        let entry = entry(Some("alice"), "accepted");
        let mut chain = start();
        let first = stored(&chain, &entry);
        next(&mut chain, &entry, &first).unwrap();
        let moved = Stored { seq: 2, ..first };
        assert_eq!(next(&mut chain, &entry, &moved), Err(ChainError::Hash));
    }
}
