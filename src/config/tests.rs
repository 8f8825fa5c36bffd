//! Tests of settings and command line.

use super::*;
use std::ffi::OsString;
use std::path::Path;

fn read(text: &str) -> Result<Config, String> {
    parse(text, Path::new("s.toml")).map_err(|error| error.to_string())
}

fn run(arguments: &[&str], token: Option<&str>) -> Result<Command, String> {
    command(arguments.iter().map(OsString::from), token.map(str::to_owned)).map_err(|error| error.to_string())
}

fn serve(arguments: &[&str]) -> Config {
    match run(arguments, None) {
        Ok(Command::Serve(config)) => *config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(read("").unwrap(), Config::default());
}

#[test]
fn an_unknown_setting_names_line_and_nearest() {
    assert_eq!(read("\nlisen = \"x\"").unwrap_err(), "s.toml:2: unknown setting `lisen`; did you mean `listen`?");
    assert_eq!(
        read("[limits]\nsockets = 5\nsocket_per_address = 1").unwrap_err(),
        "s.toml:3: unknown setting `limits.socket_per_address`; did you mean `limits.sockets_per_address`?"
    );
    assert_eq!(
        read("deadline_s = 5").unwrap_err(),
        "s.toml:1: unknown setting `deadline_s`; did you mean `drain.deadline_s`?"
    );
    assert_eq!(read("[zzz]\nq = 1").unwrap_err(), "s.toml:1: unknown setting `zzz`");
    assert_eq!(read("dev = true").unwrap_err().split(';').next().unwrap(), "s.toml:1: unknown setting `dev`");
}

#[test]
fn a_wrong_value_names_line_and_key() {
    let error = read("[limits]\nplan = \"pro\"\nsockets = \"many\"").unwrap_err();
    assert!(error.starts_with("s.toml:3: setting `limits.sockets`: invalid type: string"), "{error}");
    let error = read("listen = \"here\"").unwrap_err();
    assert!(error.starts_with("s.toml:1: setting `listen`: invalid socket address"), "{error}");
    let error = read("[limits]\nparticipants_pro = 70000").unwrap_err();
    assert!(error.starts_with("s.toml:2: setting `limits.participants_pro`"), "{error}");
    let error = read("\n[limits]\nsockets = 0").unwrap_err();
    assert_eq!(error, "s.toml:3: setting `limits.sockets`: must be at least 1");
    let error = read("[ingest]\nrtmp = \"here\"").unwrap_err();
    assert!(error.starts_with("s.toml:2: setting `ingest.rtmp`: `here` is no port"), "{error}");
    let error = read("tls = 5").unwrap_err();
    assert!(error.starts_with("s.toml:1: setting `tls`: invalid type"), "{error}");
    let error = read("trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/33\"]").unwrap_err();
    assert!(error.starts_with("s.toml:1: setting `trusted_proxies`: `10.0.0.0/33` is no IP address"), "{error}");
}

#[test]
fn broken_toml_names_its_line() {
    let error = read("data = \"x\"\nlisten = ").unwrap_err();
    assert!(error.starts_with("s.toml:2: "), "{error}");
}

#[test]
fn combinations_that_cannot_be_are_refused() {
    assert!(read("[tls]\ncertificate = \"c.pem\"").unwrap_err().contains("`tls.key`: is missing"));
    assert!(read("[tls]\nkey = \"k.pem\"").unwrap_err().contains("`tls.certificate`: is missing"));
    let both = "[tls]\ncertificate = \"c\"\nkey = \"k\"\nself_signed = true";
    assert_eq!(
        read(both).unwrap_err(),
        "s.toml:4: setting `tls.self_signed`: cannot be with `tls.certificate`: choose one"
    );
    for url in ["meet.example.org", "https://", "https://a/b", "https://a b", "ftp://a", "https://me@a"] {
        assert!(read(&format!("public_url = \"{url}\"")).unwrap_err().contains("`public_url`"), "{url}");
    }
    assert!(read("[api]\ntokens = [\"short\"]").unwrap_err().contains("guessed"));
    assert!(read("[log]\nlevel = \"a=b=c\"").unwrap_err().contains("log.level"));
    assert!(read("[media]\nvideo_slots = 0").unwrap_err().contains("1 to 64"));
    assert!(read("[limits]\ncomment_characters = 1001").unwrap_err().contains("at most 1000"));
    assert!(read("[limits]\ncomment_characters = 1000").is_ok());
    for url in ["s3://", "s3:///recordings", "recordings", "https://s3.example.org/bucket"] {
        assert!(read(&format!("[recordings]\nurl = \"{url}\"")).unwrap_err().contains("`recordings.url`"), "{url}");
    }
    let error = read("[recordings]\nkeep_local = false").unwrap_err();
    assert!(error.contains("s.toml:2: setting `recordings.keep_local`: needs `url`"), "{error}");
    let bucket = |line: &str| read(&format!("[recordings.bucket]\n{line}")).unwrap_err();
    assert!(bucket("key_id = \"us\"").contains("`recordings.bucket.key_secret`: is missing"));
    assert!(bucket("endpoint = \"s3.example.org\"").contains("https://"));
}

#[test]
fn recordings_and_live_streams_lie_apart() {
    let at = |key: &str, path: &str| read(&format!("data = \"/srv/a\"\n[recordings]\n{key} = \"{path}\""));
    for path in ["/srv/a/live", "/srv/a/live/", "/srv/a/live/b", "/srv/a", "/", "/srv/b/../a/./live"] {
        for key in ["folder", "url"] {
            let error = at(key, path).unwrap_err();
            assert!(
                error.contains(&format!("s.toml:3: setting `recordings.{key}`: must be neither /srv/a/live")),
                "{error}"
            );
        }
    }
    for path in ["/srv/a/recordings", "/srv/a/lives", "/srv/b", "/srv/a/live/../b"] {
        assert!(at("folder", path).is_ok() && at("url", path).is_ok(), "{path}");
    }
    assert!(at("folder", "live").is_ok() && at("url", "s3://srv/a/live").is_ok());
    assert!(read("data = \"a\"\n[recordings]\nfolder = \"./a/live\"").unwrap_err().contains("`recordings.folder`"));
}

#[test]
fn the_command_line_wins_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, "listen = \"127.0.0.1:1\"\ndata = \"from-file\"").unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(serve(&["serve", "--config", path]).data, Path::new("from-file"));
    let config = serve(&["serve", "--config", path, "--listen=[::1]:2", "--data", "typed"]);
    assert_eq!((config.listen.to_string().as_str(), config.data.as_path()), ("[::1]:2", Path::new("typed")));
}

// acceptance: SEC8
#[test]
fn dev_refuses_what_is_not_loopback() {
    for address in ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080"] {
        let error = run(&["serve", "--dev", "--listen", address], None).unwrap_err();
        assert!(error.contains("`--dev`") && error.contains(address), "{error}");
        assert!(run(&["serve", "--listen", address], None).is_ok());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, "[ingest]\nrtmp = \"0.0.0.0:1935\"").unwrap();
    let path = path.to_str().unwrap();
    assert!(run(&["serve", "--dev", "--config", path], None).unwrap_err().contains("`ingest.rtmp`"));
    assert!(run(&["serve", "--config", path], None).is_ok());
    let dev = serve(&["serve", "--dev"]);
    assert!(dev.dev && dev.api.accepts("dev") && !dev.api.accepts("Dev"));
    assert!(!serve(&["serve"]).api.accepts("dev"));
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    assert_eq!(
        run(&["serve", "--confg", "x"], None).unwrap_err(),
        "unknown option `--confg`; did you mean `--config`?"
    );
    assert_eq!(run(&["serve", "-x"], None).unwrap_err(), "unknown option `-x`");
    assert!(run(&["start"], None).unwrap_err().contains("unknown command `start`"));
    assert!(run(&[], None).unwrap_err().contains("symposia serve"));
    assert!(run(&["serve", "--listen", "8080"], None).unwrap_err().contains("8080"));
    assert!(run(&["serve", "--config", "/nowhere/s.toml"], None).unwrap_err().contains("/nowhere/s.toml"));
    assert!(matches!(run(&["--help"], None), Ok(Command::Help)));
    assert!(matches!(run(&["serve", "-h"], None), Ok(Command::Help)));
    assert!(matches!(run(&["--version"], None), Ok(Command::Version)));
}

#[test]
fn help_names_every_option() {
    for option in ["--config", "--listen", "--data", "--dev", "--help", "--version"] {
        assert!(HELP.contains(option), "{option}");
    }
}

#[test]
fn the_environment_adds_a_token() {
    let token = "0123456789abcdef0123456789abcdef";
    let Ok(Command::Serve(config)) = run(&["serve"], Some(token)) else { panic!() };
    assert!(config.api.accepts(token));
    assert!(run(&["serve"], Some("short")).unwrap_err().contains("guessed"));
    assert!(run(&["serve"], Some("")).is_ok());
}

// acceptance: SEC8
#[test]
fn secrets_are_not_printed() {
    let config = read("[api]\ntokens = [\"0123456789abcdef0123456789abcdef\"]").unwrap();
    assert!(!format!("{config:?}").contains("0123456789"));
    assert!(!toml::to_string(&config).unwrap().contains("0123456789"));
    let error = read("[api]\ntokens = \"0123456789abcdef0123456789abcdef\"").unwrap_err();
    assert_eq!(error, "s.toml:2: setting `api.tokens`: must be a list of texts");
    let bucket = |rest: &str| format!("[recordings]\nurl = \"s3://a\"\n[recordings.bucket]\n{rest}");
    let config = read(&bucket("key_id = \"us\"\nkey_secret = \"0123456789\"")).unwrap();
    assert_eq!(config.recordings.bucket.key_secret.as_ref().map(Secret::expose), Some("0123456789"));
    assert!(!format!("{config:?}").contains("0123456789"));
    assert!(!toml::to_string(&config).unwrap().contains("0123456789"));
    let error = read(&bucket("key_secret = 123456789")).unwrap_err();
    assert_eq!(error, "s.toml:4: setting `recordings.bucket.key_secret`: must be a text");
}

#[test]
fn networks_contain_what_they_should() {
    let network = |text: &str| text.parse::<Network>().unwrap();
    let within = |text: &str, address: &str| network(text).contains(address.parse().unwrap());
    assert!(within("10.0.0.0/8", "10.255.0.1") && !within("10.0.0.0/8", "11.0.0.1"));
    assert!(within("192.0.2.7", "192.0.2.7") && !within("192.0.2.7", "192.0.2.6"));
    assert!(within("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert!(within("0.0.0.0/0", "8.8.8.8") && !within("0.0.0.0/0", "::1"));
    assert!(within("fd00::/8", "fd12::1") && !within("fd00::/8", "fe80::1") && within("::/0", "::1"));
    assert!("10.0.0.0/x".parse::<Network>().is_err() && "a".parse::<Network>().is_err());
    assert_eq!(Network::household("2001:db8:1:2:3::4".parse().unwrap()).to_string(), "2001:db8:1:2::");
    assert_eq!(Network::household("::ffff:1.2.3.4".parse().unwrap()).to_string(), "1.2.3.4");
}

#[test]
fn links_begin_with_what_people_can_open() {
    let bound = |text: &str| text.parse().unwrap();
    let mut config = Config::default();
    assert_eq!(config.base_url(bound("127.0.0.1:8080")), "http://localhost:8080");
    assert_eq!(config.base_url(bound("192.0.2.1:80")), "http://192.0.2.1:80");
    config.tls.self_signed = true;
    assert_eq!(config.base_url(bound("0.0.0.0:8443")), "https://localhost:8443");
    config.public_url = Some("https://meet.example.org/".to_owned());
    assert_eq!(config.base_url(bound("0.0.0.0:8443")), "https://meet.example.org");
}
