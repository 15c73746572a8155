"""The application on port 3002: the protocol server, its gate, and all else that the port answers."""

from __future__ import annotations

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from dredge.access import Access
from dredge.mcp.bodies import OriginalBody
from dredge.mcp.card import card_routes
from dredge.mcp.gate import Gate
from dredge.mcp.inference import inference_routes
from dredge.mcp.original import Original
from dredge.mcp.server import QuasimotoServer
from dredge.mcp.watch import Watch
from dredge.service import Service
from dredge.settings import Settings

PATH = "/mcp"
MOST_BYTES = 16 * 2**20  # of a JSON body: half a million samples


def create_app(service: Service, settings: Settings) -> Starlette:
    """The ASGI application. Stateless: any replica answers any request; what lasts is in store and queue."""
    access = Access.from_settings(settings)
    server = QuasimotoServer(service)
    original = Original(service)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=False,  # true would drop progress
        max_request_body_size=MOST_BYTES,
        transport_security=transport_security(access),
    )
    app.router.routes.extend([*card_routes(server, service, original, PATH), *inference_routes(service)])
    # The last one added is the outermost: first the clock, then the gate, then the body.
    app.add_middleware(OriginalBody, original=original, path=PATH, limit=MOST_BYTES)
    app.add_middleware(Gate, access=access)
    app.add_middleware(Watch)
    return app


def transport_security(access: Access) -> TransportSecuritySettings:
    """The SDK's own check of Host and Origin, with the hosts that the gate knows, with and without a port.

    A server on every interface that was told no names checks none. The gate lets a page of this very host in;
    the SDK compares with the list, which holds the same names.
    """
    if access.any_host:
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    names = sorted(f"[{host}]" if ":" in host else host for host in access.hosts)
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
