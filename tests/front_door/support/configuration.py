"""Configurations, short enough that a test shows only what it is about."""


def configuration(domains: list[dict], functions: list[dict], **gateway) -> dict:
    """A whole configuration on ports that the system picks."""
    return {
        "gateway": {"http": "127.0.0.1:0", **gateway},
        "admin": {"listen": "127.0.0.1:0"},
        "functions": functions,
        "customDomains": domains,
    }


def function(url: str, name: str = "orders") -> dict:
    return {"functionName": name, "url": url}


def domain(name: str = "api.example.com", routes: list[dict] | None = None, auth: dict | None = None) -> dict:
    """A domain with everything at the function `orders`; anonymous unless `auth` is given."""
    authentication = {"authType": "jwt", "authInfo": auth} if auth else {"authType": "anonymous"}
    return {
        "domainName": name,
        "protocol": "HTTP",
        "routeConfig": {"routes": routes or [{"path": "/*", "functionName": "orders"}]},
        "authConfig": authentication,
    }


def jwt(jwks: dict, token_lookup="header:Authorization:Bearer", claim_pass_by="", **more) -> dict:
    """An `authInfo`."""
    return {"jwks": jwks, "tokenLookup": token_lookup, "claimPassBy": claim_pass_by, **more}
