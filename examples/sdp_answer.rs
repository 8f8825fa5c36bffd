//! Answers offers as the server would, without one: `tests/fixtures/record/check.mjs` applies the answers
//! in real browsers. Reads JSON lines `{"role": "meeting" | "whip" | "whep", "prefer": ["h264"], "offer": "v=0…",
//! "again": bool}` and writes one line each: `{"sdp": …, "plan": …}` or `{"error": …}`; `again` answers a later offer
//! of the session that the line before began. Knows no network.

use rand::SeedableRng;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use symposia::session::plan::{Fingerprint, IceCredentials, SessionPlan};
use symposia::session::sdp::{Answer, CodecKind, Local, Offer, Policy, Role, SdpError, answer, reanswer};

fn main() -> std::io::Result<()> {
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let mut session = None;
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let request: Value = serde_json::from_str(&line?)?;
        let reply = match reply(&request, index, session.as_ref(), &mut rng) {
            Ok(Answer { sdp, plan }) => {
                let plan_text = format!("{plan:?}");
                session = Some(plan);
                json!({ "sdp": sdp, "plan": plan_text })
            }
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(std::io::stdout().lock(), "{reply}")?;
    }
    Ok(())
}

fn reply(
    request: &Value,
    index: usize,
    session: Option<&SessionPlan>,
    rng: &mut rand::rngs::StdRng,
) -> Result<Answer, SdpError> {
    let offer = Offer::parse(request["offer"].as_str().unwrap_or_default())?;
    let prefers = |name: &str| request["prefer"].as_array().is_some_and(|list| list.iter().any(|item| item == name));
    let kinds = [("vp8", CodecKind::Vp8), ("h264", CodecKind::H264), ("vp9", CodecKind::Vp9), ("av1", CodecKind::Av1)];
    let policy = Policy {
        role: match request["role"].as_str() {
            Some("whip") => Role::Whip,
            Some("whep") => Role::Whep,
            _ => Role::Meeting,
        },
        video_preference: kinds.into_iter().filter(|(name, _)| prefers(name)).map(|(_, kind)| kind).collect(),
        max_video_bits_per_second: Some(2_500_000),
        max_sections: 64,
    };
    let local = Local {
        credentials: IceCredentials { ufrag: format!("0000{index:04}"), password: "0123456789abcdefghijklmn".into() },
        fingerprint: Fingerprint([0xa5; 32]),
        candidates: vec![([192, 0, 2, 2], 8080).into(), ([0xfd00, 0, 0, 0, 0, 0, 0, 2], 8080).into()],
        tcp_candidates: vec![([192, 0, 2, 2], 8080).into()],
        cname: "symposia".into(),
        restarts: 0,
    };
    match session {
        Some(previous) if request["again"] == true => reanswer(previous, &offer, &local, &policy),
        _ => answer(&offer, &local, &policy, rng),
    }
}
