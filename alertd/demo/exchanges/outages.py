"""What a web server in front of an exchange, or a broken way to it, answers: the same for all exchanges."""

from collections.abc import Mapping
from typing import Final

from alertd.demo.exchanges.shape import Outage, Reply

PAGES: Final[Mapping[Outage, Reply]] = {
    Outage.HTML_503: Reply(
        503,
        "<html><body><h1>503 Service Unavailable</h1> No server is available to handle this request.</body></html>",
    ),
    Outage.HTML_403: Reply(
        403,
        '<!DOCTYPE html> <html lang="en-US"><head><title>Attention Required! | Cloudflare</title></head></html>',
    ),
    Outage.HTML_200: Reply(200, "<html><body>maintenance</body></html>"),
    Outage.EMPTY_200: Reply(200, ""),
    Outage.RATE_LIMITED: Reply(429, "Too Many Requests", {"Retry-After": "9"}),
    Outage.REGION: Reply(
        451, {"code": 0, "msg": "Service unavailable from a restricted location according to 'b. Eligibility'."}
    ),
    Outage.REDIRECT: Reply(302, "", {"Location": "/maintenance"}),
    Outage.HUGE: Reply(200, "[" + "0," * 700_000 + "0]"),
}
