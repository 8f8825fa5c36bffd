//! The OpenAPI document. Knows no state.

use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// Everything over HTTP; the WebSocket at `/api/v1/socket` is described in `signaling/README.md`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Symposia",
        description = "Meetings and broadcasts. The WebSocket at /api/v1/socket is described in signaling/README.md."
    ),
    paths(
        super::people::me,
        super::people::setup,
        super::people::sign_in,
        super::people::sign_out,
        super::sign_ins::list,
        super::sign_ins::end,
        super::sign_ins::change_password,
        super::accounts::list,
        super::accounts::change,
        super::accounts::remove,
        super::accounts::reset,
        super::invitations::list,
        super::invitations::create,
        super::invitations::remove,
        super::invitations::open,
        super::invitations::accept,
        super::meetings::create,
        super::meetings::list,
        super::meetings::show,
        super::meetings::end,
        super::meetings::become_host,
        super::meetings::door,
        super::recordings::start,
        super::recordings::stop,
        super::recordings::pause,
        super::recordings::resume,
        super::recordings::list,
        super::recordings::show,
        super::recordings::change,
        super::recordings::delete,
        super::recordings::rights::link,
        super::recordings::rights::open,
        super::recordings::exports::request,
        super::recordings::exports::list,
        super::recordings::exports::remove,
        super::recordings::exports::file,
        super::recordings::files::track,
        super::recordings::files::segments,
        super::recordings::files::mix,
        super::recordings::files::timeline,
        super::broadcasts::create,
        super::broadcasts::list,
        super::broadcasts::show,
        super::broadcasts::end,
        super::broadcasts::rotate_key,
        super::broadcasts::revoke_key,
        super::audience::comments,
        super::audience::judge,
        super::audience::mute,
        super::audience::mutes,
        super::audience::unmute,
        super::audience::rules,
        super::audience::set_rules,
        super::network_tests::begin,
        super::network_tests::publish,
        super::network_tests::watch,
        super::network_tests::end,
        crate::http::whip::publish,
        crate::http::whip::patch,
        crate::http::whip::stop,
        crate::http::whep::watch,
        crate::http::whep::patch,
        crate::http::whep::stop,
        crate::http::hls::index,
        crate::http::hls::rewind,
        crate::http::health::healthz,
        crate::http::health::readyz,
        crate::http::health::metrics,
        openapi,
    ),
    components(schemas(crate::http::errors::ErrorBody)),
    modifiers(&Schemes),
    tags(
        (name = "meetings", description = "Meetings and their links."),
        (name = "recordings", description = "What was recorded of meetings."),
        (name = "broadcasts", description = "Live streams, WHIP, WHEP and HLS."),
        (name = "audience", description = "What viewers of a broadcast write. They write and like by a WebSocket: docs/audience.md."),
        (name = "people", description = "Who calls, how to sign in, and who else can."),
        (name = "operation", description = "For whoever runs the server."),
    )
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = |what| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        let cookie = |name| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name)));
        components.add_security_scheme("api_token", bearer("A token of the settings."));
        components.add_security_scheme("stream_key", bearer("The stream key of a broadcast."));
        components.add_security_scheme("sign_in", cookie(crate::http::cookies::SESSION));
        components.add_security_scheme("host", cookie("symposia_host_{id}"));
    }
}

/// The document as data.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json")))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
