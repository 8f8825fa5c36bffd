//! Dependency descriptors of one stream, and a subscriber who walks over the steps that they open.

#![no_main]

use fuzz::Input;
use fuzz::rtp::dependency::{Dependencies, Indications, MAX_LEN, frame_number, set_frame_number};
use fuzz::rtp::scalability::{MAX_SPATIAL, MAX_TEMPORAL, Step, Steps};
use libfuzzer_sys::fuzz_target;

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let indications = input.pick(&[Indications::True, Indications::All]);
    let steps: Vec<_> = Step::each().collect();
    let mut dependencies = Dependencies::default();
    let mut current = Step::ALL;
    while !input.is_empty() {
        let wanted = steps[usize::from(input.byte()) % steps.len()];
        let marker = input.flag();
        let value = input.bytes();
        assert!(value.len() <= MAX_LEN);
        if let Some(read) = dependencies.read(value, indications, marker) {
            let packet = read.scalability;
            assert!(packet.spatial < MAX_SPATIAL && packet.temporal < MAX_TEMPORAL && packet.top < MAX_SPATIAL);
            assert!(packet.starts || packet.switch == Steps::NONE, "steps begin with a frame's first packet");
            assert!(!(packet.ends && marker));
            let next = packet.advance(current, wanted);
            assert!(next <= current || next <= wanted || next.spatial() == current.spatial());
            current = next;
        }
        let mut changed = value.to_vec();
        if set_frame_number(&mut changed, 0x1234) {
            assert_eq!(frame_number(&changed), Some(0x1234));
            assert_eq!((changed.len(), &changed[3..]), (value.len(), &value[3..]));
        } else {
            assert_eq!(frame_number(value), None);
        }
    }
});
