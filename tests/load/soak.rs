//! Sessions come and go at a whole server, for so many seconds or until 40,000 were there; afterwards memory,
//! descriptors, threads and all that the server counts must be back to where they were.
// acceptance: D2

mod http;
mod program;
mod wave;

use http::Http;
use program::{Program, Usage};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use symposia::clock;
use wave::{Came, Wave};

/// Enough, however much time is left.
const SESSIONS: usize = 40_000;

/// Seconds, unless `SOAK_SECONDS` says otherwise.
const SECONDS: u64 = 60;

/// After this share of the time the server has all that it keeps: what it holds from then on must not grow.
const WARM: f64 = 0.3;

/// Memory may grow by so much from the warm server to the end: the allocator's arenas breathe.
const MAY_GROW_KIB: u64 = 6 * 1024;

/// And by so much for each session since: what a leak of a few hundred bytes would show.
const MAY_GROW_A_SESSION: f64 = 0.1;

/// The store opens another connection, with a thread and three files each, when it happens to be busy.
const SPARE_THREADS: usize = 4;
const SPARE_DESCRIPTORS: usize = 3 * SPARE_THREADS;

/// People who vanish are noticed after 30 s, empty meetings end after as many.
const QUIET_WITHIN: Duration = Duration::from_secs(100);

/// What is wrong, one sentence each.
fn judge(start: &Usage, warm: &Usage, end: &Usage, since_warm: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let allowed = warm.resident_kib + MAY_GROW_KIB + (since_warm as f64 * MAY_GROW_A_SESSION) as u64;
    if end.resident_kib > allowed {
        wrong.push(format!("{} KiB resident, {allowed} were allowed", end.resident_kib));
    }
    if end.descriptors > warm.descriptors + SPARE_DESCRIPTORS {
        wrong.push(format!("{} descriptors, while warm {}", end.descriptors, warm.descriptors));
    }
    if end.threads > warm.threads + SPARE_THREADS {
        wrong.push(format!("{} threads, while warm {}", end.threads, warm.threads));
    }
    for ((name, before), (_, after)) in start.gauges.iter().zip(&end.gauges) {
        if after != before {
            wrong.push(format!("{name} is {after} and was {before}"));
        }
    }
    wrong
}

/// Lets waves come and go for so long, or until so many sessions were there.
fn come_and_go(address: SocketAddr, time: Duration, most: usize, waves: &mut usize) -> Came {
    let until = clock::now() + time;
    let mut sum = Came::default();
    while clock::now() < until && sum.connected < most {
        // Each wave comes from an address of its own: meetings made are counted by address.
        let from = Ipv4Addr::new(127, 4, (*waves >> 8) as u8, *waves as u8);
        let came = Wave::new(*waves).run(&mut Http::connect(from, address));
        *waves += 1;
        sum.connected += came.connected;
        sum.failed += came.failed;
    }
    sum
}

/// Runs; false where the server is not back to where it was.
pub fn run() -> bool {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let time = Duration::from_secs(seconds);
    let program = Program::start();
    let mut http = Http::connect(Ipv4Addr::LOCALHOST, program.address());
    let start = program.usage(&mut http);
    println!("at the start: {start}");
    let mut waves = 0;
    let many = (SESSIONS as f64 * WARM) as usize;
    let first = come_and_go(program.address(), time.mul_f64(WARM), many, &mut waves);
    let warm = program.quiet(&mut http, &start, QUIET_WITHIN);
    println!("warm after {} sessions: {warm}", first.connected);
    let began = clock::now();
    let rest = come_and_go(program.address(), time.mul_f64(1.0 - WARM), SESSIONS - many, &mut waves);
    let took = clock::now().duration_since(began).as_secs_f64();
    let (sessions, failed) = (first.connected + rest.connected, first.failed + rest.failed);
    let rate = rest.connected as f64 / took;
    println!(
        "{sessions} of {SESSIONS} sessions came and went in {waves} waves, {rate:.0} a second; {failed} did not connect"
    );
    let end = program.quiet(&mut http, &start, QUIET_WITHIN);
    println!("at the end: {end}");
    let mut wrong = judge(&start, &warm, &end, rest.connected);
    if failed * 100 > sessions {
        wrong.push(format!("{failed} sessions of {sessions} did not connect"));
    }
    wrong.iter().for_each(|sentence| eprintln!("not back to where it was: {sentence}"));
    if wrong.is_empty() {
        println!("The server is back to where it was.");
    }
    wrong.is_empty()
}
