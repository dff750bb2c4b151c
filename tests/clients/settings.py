"""What botocore makes of scenarios: JSON in (a list of homes with options and environments), JSON out.

For each: which key signs, the region, and for IAM and STS the URL that is asked and the region that is signed for.
STS answers here, with a key whose id tells what was asked by whom.
"""

import json
import os
import sys
from urllib.parse import parse_qsl

import botocore.awsrequest
import botocore.loaders
import botocore.session

PATH = os.environ["PATH"]
LOADER = botocore.loaders.create_loader()


class Asked(Exception):
    def __init__(self, request):
        credential = request.headers["Authorization"].decode().split("Credential=")[1].split(", Signed")[0]
        self.said = f"{request.url.rstrip('/')} {credential.split('/')[2]}"
        self.key = credential.rsplit("/", 4)[0]


def stop(request, **_):
    raise Asked(request)


class Raw:
    def __init__(self, body):
        self.body = body

    def stream(self, **_):
        yield self.body

    def read(self, *_):
        return self.body


def assumed(request, **_):
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    asked = dict(parse_qsl(body))
    session = asked["RoleSessionName"]
    parts = [
        asked["RoleArn"],
        asked.get("ExternalId", ""),
        asked.get("DurationSeconds", ""),
        "" if session.startswith("botocore-session-") else session,
        Asked(request).key,
    ]
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>{",".join(parts)}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
      <SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    return botocore.awsrequest.AWSResponse(request.url, 200, {}, Raw(body.encode()))


def session_of(scenario):
    options = scenario["options"]
    session = botocore.session.Session(profile=options.get("profile"))
    session.register_component("data_loader", LOADER)
    if "region" in options:
        session.set_config_variable("region", options["region"])
    return session


def key(scenario):
    session = session_of(scenario)
    session.register("before-send.sts.AssumeRole", assumed)
    credentials = session.get_credentials()
    if credentials is None:
        return "refused"
    frozen = credentials.get_frozen_credentials()
    # Roles of roles: the key of the outer tells the inner already.
    return " ".join(part for part in (frozen.access_key, frozen.token) if part)


def region(scenario):
    region = session_of(scenario).get_config_variable("region")
    return "none" if region is None else region


def endpoint(scenario, service, call):
    session = session_of(scenario)
    session.register(f"before-send.{service}", stop)
    client = session.create_client(
        service,
        endpoint_url=scenario["options"].get("endpoint-url"),
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
    )
    try:
        getattr(client, call)()
    except Asked as asked:
        return asked.said
    return "nothing was asked"


def tried(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:  # whatever it is, it is told
        print(f"{arguments[0]['name']}: {type(error).__name__}: {error}", file=sys.stderr)
        return "refused"


answers = {}
for scenario in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(scenario["environment"], PATH=PATH, HOME=scenario["home"], AWS_EC2_METADATA_DISABLED="true")
    answers[scenario["name"]] = {
        "key": tried(key, scenario),
        "region": tried(region, scenario),
        "iam": tried(endpoint, scenario, "iam", "list_users"),
        "sts": tried(endpoint, scenario, "sts", "get_caller_identity"),
    }
json.dump(answers, sys.stdout)
