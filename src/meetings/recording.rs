//! The recording of one meeting, as its task sees it: who is there, what they turn on and write becomes its timeline. Knows
//! no rules, no packets and no files.

use crate::recordings::{Handle, NewRecording, News, Recordings};
use recordings::timeline::Event;
use signaling::Meeting;
use signaling::ids::{Millis, ParticipantId, Source};
use signaling::protocol::{Audience, ChatMessage, Participant};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// The recordings of one meeting, one after the other.
pub(super) struct Recorder {
    recordings: Recordings,
    news: UnboundedSender<News>,
    live: Option<Live>,
}

struct Live {
    handle: Arc<Handle>,
    /// As the timeline knows them.
    people: BTreeMap<ParticipantId, Participant>,
    /// The last message that is in it.
    chat: u64,
}

impl Recorder {
    /// None yet. What becomes of those to come is told by the receiver.
    pub(super) fn new(recordings: Recordings) -> (Self, UnboundedReceiver<News>) {
        let (news, receiver) = unbounded_channel();
        (Self { recordings, news, live: None }, receiver)
    }

    /// Begins one, which is acknowledged when the store has noted it; `None` where that can't be now. `chat` is the last
    /// message that was written before: whoever comes back gets what they missed, and it is told of again.
    pub(super) fn begin(
        &mut self,
        new: NewRecording,
        now: Millis,
        chat: u64,
    ) -> Option<(Arc<Handle>, oneshot::Receiver<()>)> {
        let (handle, noted) = self.recordings.begin(&new, now, self.news.clone())?;
        let handle = Arc::new(handle);
        self.live = Some(Live { handle: Arc::clone(&handle), people: BTreeMap::new(), chat });
        Some((handle, noted))
    }

    /// The one under way.
    pub(super) fn handle(&self) -> Option<&Arc<Handle>> {
        self.live.as_ref().map(|live| &live.handle)
    }

    /// Lets go of it: it ends when nobody else holds it.
    pub(super) fn end(&mut self) {
        self.live = None;
    }

    /// Notes who came, went and changed since this was last called. Acknowledged when the store has noted whose browsers
    /// came, where some did.
    pub(super) fn follow(&mut self, meeting: &Meeting) -> Option<oneshot::Receiver<()>> {
        let mut browsers = Vec::new();
        let live = self.live.as_mut()?;
        let now: BTreeMap<_, _> = meeting.participants().map(|one| (one.id, one)).collect();
        for id in live.people.keys().filter(|id| !now.contains_key(id)) {
            live.handle.note(Event::Left { participant: id.0 });
        }
        for (id, one) in &now {
            let before = live.people.get(id);
            if before == Some(one) {
                continue;
            }
            let name = || one.name.clone();
            match before {
                None => {
                    live.handle.note(Event::Joined { participant: id.0, name: name() });
                    let browser = meeting.identity(*id).and_then(|identity| identity.strip_prefix("browser:"));
                    browsers.extend(browser.map(str::to_owned));
                }
                Some(before) if before.name != one.name => {
                    live.handle.note(Event::Renamed { participant: id.0, name: name() });
                }
                Some(_) => {}
            }
            for source in Source::ALL {
                let on = is_on(one, source);
                if on != before.is_some_and(|before| is_on(before, source)) {
                    live.handle.note(Event::Source { participant: id.0, source: source.word().to_owned(), on });
                }
            }
        }
        live.people = now;
        (!browsers.is_empty()).then(|| self.recordings.note_browsers(live.handle.id(), browsers))
    }

    /// Who was banned sees no recording of this meeting any more by having been there. Acknowledged when that is stored.
    pub(super) fn forget_browser(&self, meeting: &str, identity: &str) -> Option<oneshot::Receiver<()>> {
        let browser = identity.strip_prefix("browser:")?;
        Some(self.recordings.forget_browser(meeting, browser))
    }

    /// Somebody wrote; what is for everybody is noted once, however many get it.
    pub(super) fn wrote(&mut self, message: &ChatMessage) {
        let Some(live) = self.live.as_mut().filter(|live| live.chat < message.id) else { return };
        if message.to == Audience::Everyone {
            live.chat = message.id;
            let (participant, name, text) = (message.from.0, message.name.clone(), message.text.clone());
            live.handle.note(Event::Chat { participant, name, text });
        }
    }

    /// Who speaks, loudest first.
    pub(super) fn speak(&self, participants: &[ParticipantId]) {
        if let Some(live) = &self.live {
            live.handle.note(Event::Speaking { participants: participants.iter().map(|one| one.0).collect() });
        }
    }

    /// The host marks this place.
    pub(super) fn mark(&self, text: String) {
        if let Some(live) = &self.live {
            live.handle.note(Event::Mark { text });
        }
    }
}

const fn is_on(participant: &Participant, source: Source) -> bool {
    match source {
        Source::Microphone => participant.microphone,
        Source::Camera => participant.camera,
        Source::Screen => participant.screen,
        Source::ScreenAudio => participant.screen_audio,
    }
}
