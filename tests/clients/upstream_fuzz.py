"""Whether anybody talks their way around the stand-in to the server behind it: random calls with decoys, odd hosts, paths,
bodies and headers, by users who may work on one resource of each service and not on another.

The oracle knows nothing of how the stand-in decides. It makes resources in the server behind, directly: `decoy-…`, which the
users may use, `secret-…`, which they may not, and others that they can't name. No answer may hold what is in the latter two,
and their state must stay as it was made.

    upstream_fuzz.py REQUESTS SEED        with AWS_ENDPOINT_URL, the administrator's keys, and BEHIND, the server behind
"""

import gzip
import http.client
import io
import json
import os
import random
import re
import sys
import urllib.parse
import zipfile

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT, SEED = int(sys.argv[1]), int(sys.argv[2])
RANDOM = random.Random(SEED)
REGION, ACCOUNT = "us-east-1", "123456789012"
BEHIND = os.environ["BEHIND"]
HERE = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
CANARY = f"canary{RANDOM.getrandbits(48):012x}"
HIDDEN = f"hidden{RANDOM.getrandbits(48):012x}"
DECOY, SECRET = "decoy-one", "secret-one"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"


def behind(service):
    return boto3.client(service, endpoint_url=BEHIND, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


def arn(service, resource, account=ACCOUNT, region=REGION):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def code(text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("handler.py", text)
    return packed.getvalue()


# -- what there is behind

C = {name: behind(name) for name in (
    "dynamodb", "ssm", "secretsmanager", "sqs", "sns", "kms", "kinesis", "logs", "lambda", "events", "stepfunctions", "ecr", "s3",
    "glue", "ecs", "cloudwatch", "firehose", "iam", "athena")}
URL, TOPIC, KEY, BLOB, ITERATOR = {}, {}, {}, {}, {}


def make(name, content):
    C["dynamodb"].create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                               AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    C["dynamodb"].put_item(TableName=name, Item={"id": {"S": "1"}, "v": {"S": content}})
    C["dynamodb"].update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    for parameter in (name, f"/{name}/below"):
        C["ssm"].put_parameter(Name=parameter, Value=content, Type="String")
    C["secretsmanager"].create_secret(Name=name, SecretString=content)
    URL[name] = C["sqs"].create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    C["sqs"].send_message(QueueUrl=URL[name], MessageBody=content)
    TOPIC[name] = C["sns"].create_topic(Name=name, Attributes={"DisplayName": content})["TopicArn"]
    C["sns"].subscribe(TopicArn=TOPIC[name], Protocol="sqs", Endpoint=arn("sqs", name))
    KEY[name] = C["kms"].create_key(Description=content)["KeyMetadata"]["KeyId"]
    BLOB[name] = C["kms"].encrypt(KeyId=KEY[name], Plaintext=content.encode())["CiphertextBlob"]
    C["kinesis"].create_stream(StreamName=name, ShardCount=1)
    C["kinesis"].put_record(StreamName=name, Data=content.encode(), PartitionKey=content)
    ITERATOR[name] = C["kinesis"].get_shard_iterator(StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    C["logs"].create_log_group(logGroupName=name)
    C["logs"].create_log_stream(logGroupName=name, logStreamName="s")
    C["logs"].put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": C["time"], "message": content}])
    C["lambda"].create_function(FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="handler.h", Code={"ZipFile": code(content)}, Description=content)
    C["events"].put_rule(Name=name, ScheduleExpression="rate(1 day)", Description=content)
    C["stepfunctions"].create_state_machine(name=name, roleArn=ROLE, definition=json.dumps(
        {"Comment": content, "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}))
    C["ecr"].create_repository(repositoryName=name)
    C["ecr"].set_repository_policy(repositoryName=name, policyText=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": content, "Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"}]}))
    C["s3"].create_bucket(Bucket=name)
    C["s3"].put_object(Bucket=name, Key="k", Body=content.encode())
    C["glue"].create_database(DatabaseInput={"Name": name, "Description": content})
    C["ecs"].create_cluster(clusterName=name, tags=[{"key": "t", "value": content}])
    C["cloudwatch"].put_metric_alarm(AlarmName=name, AlarmDescription=content, MetricName="m", Namespace="n", Statistic="Sum", Period=60,
                                     EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold")
    C["firehose"].create_delivery_stream(DeliveryStreamName=name, S3DestinationConfiguration={
        "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b", "Prefix": content})
    C["athena"].create_work_group(Name=name, Description=content)


def state(name):
    """All that is known of a name, as it is behind."""
    table = C["dynamodb"].describe_table(TableName=name)["Table"]
    queue = C["sqs"].get_queue_attributes(QueueUrl=URL[name], AttributeNames=["All"])["Attributes"]
    function = C["lambda"].get_function(FunctionName=name)["Configuration"]
    messages = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    return [
        C["dynamodb"].scan(TableName=name)["Items"], table["TableStatus"], table["KeySchema"], table.get("DeletionProtectionEnabled"),
        [C["ssm"].get_parameter(Name=parameter)["Parameter"]["Value"] for parameter in (name, f"/{name}/below")],
        C["secretsmanager"].get_secret_value(SecretId=name)["SecretString"],
        sum(int(queue[of]) for of in messages), queue["DelaySeconds"], queue["VisibilityTimeout"],
        C["sns"].get_topic_attributes(TopicArn=TOPIC[name])["Attributes"],
        [C["kms"].describe_key(KeyId=KEY[name])["KeyMetadata"][of] for of in ("Enabled", "KeyState", "Description")],
        C["kinesis"].describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["RetentionPeriodHours"],
        len(C["kinesis"].get_records(ShardIterator=ITERATOR[name])["Records"]),
        [len(C["logs"].describe_log_streams(logGroupName=name)["logStreams"]),
         len(C["logs"].get_log_events(logGroupName=name, logStreamName="s")["events"])],
        [function[of] for of in ("Description", "CodeSize", "Timeout", "RevisionId") if of in function],
        [C["events"].describe_rule(Name=name)[of] for of in ("State", "Description")],
        C["stepfunctions"].describe_state_machine(stateMachineArn=arn("states", f"stateMachine:{name}"))["definition"],
        len(C["stepfunctions"].list_executions(stateMachineArn=arn("states", f"stateMachine:{name}"))["executions"]),
        C["ecr"].get_repository_policy(repositoryName=name)["policyText"],
        sorted(entry["Key"] for entry in C["s3"].list_objects_v2(Bucket=name).get("Contents", [])),
        C["s3"].get_object(Bucket=name, Key="k")["Body"].read().decode(),
        C["glue"].get_database(Name=name)["Database"]["Description"],
        [cluster["status"] for cluster in C["ecs"].describe_clusters(clusters=[name])["clusters"]],
        [[alarm[of] for of in ("AlarmDescription", "StateValue", "ActionsEnabled")]
         for alarm in C["cloudwatch"].describe_alarms(AlarmNames=[name])["MetricAlarms"]],
        C["firehose"].describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]["DeliveryStreamStatus"],
        C["athena"].get_work_group(WorkGroup=name)["WorkGroup"]["Description"],
    ]


def differences(before, now):
    return [f"{old} -> {new}" for old, new in zip(before, now) if old != new]


# -- who asks

def resources(name):
    """The ARNs of a name in all services, two policies' worth."""
    plain = {"dynamodb": "table/", "sqs": "", "sns": "", "kinesis": "stream/", "lambda": "function:", "events": "rule/",
             "states": "stateMachine:", "ecr": "repository/", "glue": "database/", "ecs": "cluster/", "cloudwatch": "alarm:",
             "firehose": "deliverystream/", "athena": "workgroup/", "ssm": "parameter/", "logs": "log-group:"}
    for service, kind in plain.items():
        yield service, arn(service, kind + name)
    for service, resource in (("ssm", f"parameter/{name}/*"), ("logs", f"log-group:{name}:*"), ("dynamodb", f"table/{name}/*"),
                              ("secretsmanager", f"secret:{name}-*"), ("kms", f"key/{KEY[name]}"), ("events", f"rule/*/{name}"),
                              ("states", f"execution:{name}:*"), ("lambda", f"function:{name}:*")):
        yield service, arn(service, resource)
    yield "s3", f"arn:aws:s3:::{name}"
    yield "s3", f"arn:aws:s3:::{name}/*"


def whole(resource):
    """Of a secret, the ARN with its end, by which the caller needn't name it."""
    found = re.fullmatch(r"arn:aws:secretsmanager:.*:secret:(.*)-\*", resource)
    return C["secretsmanager"].describe_secret(SecretId=found[1])["ARN"] if found else resource


def user(name, statements):
    iam = boto3.client("iam", region_name=REGION)
    iam.create_user(UserName=name)
    for index, statement in enumerate(statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": statement}, separators=(",", ":"))
        policy = iam.create_policy(PolicyName=f"{name}{index}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


# -- what is asked

JSON = {
    "dynamodb": ("DynamoDB_20120810.", "dynamodb"), "ssm": ("AmazonSSM.", "ssm"), "secretsmanager": ("secretsmanager.", "secretsmanager"),
    "sqs": ("AmazonSQS.", "sqs"), "kms": ("TrentService.", "kms"), "kinesis": ("Kinesis_20131202.", "kinesis"),
    "logs": ("Logs_20140328.", "logs"), "events": ("AWSEvents.", "events"), "states": ("AWSStepFunctions.", "states"),
    "ecr": ("AmazonEC2ContainerRegistry_V20150921.", "ecr"), "glue": ("AWSGlue.", "glue"),
    "ecs": ("AmazonEC2ContainerServiceV20141113.", "ecs"), "firehose": ("Firehose_20150804.", "firehose"), "athena": ("AmazonAthena.", "athena"),
    "cloudwatch": ("GraniteServiceVersion20100801.", "monitoring"),
}


def calls(n):
    """Calls on a name: service, operation, parameters."""
    blob = __import__("base64").b64encode(BLOB[n]).decode()
    machine = arn("states", f"stateMachine:{n}")
    item = {"id": {"S": "1"}}
    return [
        ("dynamodb", "GetItem", {"TableName": n, "Key": item}), ("dynamodb", "Scan", {"TableName": n}),
        ("dynamodb", "PutItem", {"TableName": n, "Item": {"id": {"S": "2"}}}), ("dynamodb", "DeleteTable", {"TableName": n}),
        ("dynamodb", "DeleteItem", {"TableName": n, "Key": item}), ("dynamodb", "ListTables", {}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {n: {"Keys": [item]}}}),
        ("dynamodb", "BatchWriteItem", {"RequestItems": {n: [{"DeleteRequest": {"Key": item}}]}}),
        ("dynamodb", "TransactGetItems", {"TransactItems": [{"Get": {"TableName": n, "Key": item}}]}),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": n, "Key": item}}]}),
        ("dynamodb", "ExecuteStatement", {"Statement": f'SELECT * FROM "{n}"'}),
        ("dynamodb", "Query", {"TableName": n, "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "1"}}}),
        ("dynamodb", "UpdateTable", {"TableName": n, "DeletionProtectionEnabled": True}),
        ("ssm", "GetParameter", {"Name": n}), ("ssm", "GetParameters", {"Names": [n]}), ("ssm", "GetParametersByPath", {"Path": f"/{n}"}),
        ("ssm", "GetParameterHistory", {"Name": n}), ("ssm", "PutParameter", {"Name": n, "Value": "x", "Type": "String", "Overwrite": True}),
        ("ssm", "DeleteParameter", {"Name": n}), ("ssm", "DeleteParameters", {"Names": [f"/{n}/below"]}), ("ssm", "DescribeParameters", {}),
        ("secretsmanager", "GetSecretValue", {"SecretId": n}), ("secretsmanager", "PutSecretValue", {"SecretId": n, "SecretString": "x"}),
        ("secretsmanager", "DeleteSecret", {"SecretId": n, "ForceDeleteWithoutRecovery": True}), ("secretsmanager", "ListSecrets", {}),
        ("secretsmanager", "BatchGetSecretValue", {"SecretIdList": [n]}), ("secretsmanager", "UpdateSecret", {"SecretId": n, "SecretString": "y"}),
        ("sqs", "ReceiveMessage", {"QueueUrl": URL[n]}), ("sqs", "PurgeQueue", {"QueueUrl": URL[n]}), ("sqs", "DeleteQueue", {"QueueUrl": URL[n]}),
        ("sqs", "SendMessage", {"QueueUrl": URL[n], "MessageBody": "x"}), ("sqs", "ListQueues", {}),
        ("sqs", "SetQueueAttributes", {"QueueUrl": URL[n], "Attributes": {"DelaySeconds": "3"}}),
        ("kms", "Decrypt", {"CiphertextBlob": blob}), ("kms", "DisableKey", {"KeyId": KEY[n]}), ("kms", "ListKeys", {}), ("kms", "CreateKey", {}),
        ("kms", "ScheduleKeyDeletion", {"KeyId": KEY[n]}), ("kms", "DescribeKey", {"KeyId": KEY[n]}),
        ("kms", "UpdateKeyDescription", {"KeyId": KEY[n], "Description": "x"}),
        ("kms", "ReEncrypt", {"CiphertextBlob": blob, "DestinationKeyId": KEY[DECOY]}),
        ("kinesis", "GetRecords", {"ShardIterator": ITERATOR[n]}), ("kinesis", "PutRecord", {"StreamName": n, "Data": "eA==", "PartitionKey": "p"}),
        ("kinesis", "DeleteStream", {"StreamName": n}), ("kinesis", "ListStreams", {}),
        ("kinesis", "IncreaseStreamRetentionPeriod", {"StreamName": n, "RetentionPeriodHours": 99}),
        ("logs", "GetLogEvents", {"logGroupName": n, "logStreamName": "s"}), ("logs", "FilterLogEvents", {"logGroupName": n}),
        ("logs", "DeleteLogGroup", {"logGroupName": n}), ("logs", "DescribeLogGroups", {}),
        ("logs", "CreateLogStream", {"logGroupName": n, "logStreamName": f"t{RANDOM.random()}"}),
        ("events", "DescribeRule", {"Name": n}), ("events", "DeleteRule", {"Name": n}), ("events", "DisableRule", {"Name": n}), ("events", "ListRules", {}),
        ("events", "PutRule", {"Name": n, "ScheduleExpression": "rate(2 days)"}),
        ("states", "DescribeStateMachine", {"stateMachineArn": machine}), ("states", "DeleteStateMachine", {"stateMachineArn": machine}),
        ("states", "StartExecution", {"stateMachineArn": machine}), ("states", "ListStateMachines", {}),
        ("ecr", "GetRepositoryPolicy", {"repositoryName": n}), ("ecr", "DeleteRepository", {"repositoryName": n, "force": True}),
        ("ecr", "DeleteRepositoryPolicy", {"repositoryName": n}), ("ecr", "DescribeRepositories", {}),
        ("glue", "GetDatabase", {"Name": n}), ("glue", "DeleteDatabase", {"Name": n}), ("glue", "GetDatabases", {}),
        ("ecs", "DeleteCluster", {"cluster": n}), ("ecs", "DescribeClusters", {"clusters": [n], "include": ["TAGS"]}), ("ecs", "ListClusters", {}),
        ("firehose", "DescribeDeliveryStream", {"DeliveryStreamName": n}), ("firehose", "DeleteDeliveryStream", {"DeliveryStreamName": n}),
        ("firehose", "ListDeliveryStreams", {}), ("athena", "GetWorkGroup", {"WorkGroup": n}), ("athena", "DeleteWorkGroup", {"WorkGroup": n}),
        ("athena", "ListWorkGroups", {}), ("cloudwatch", "DeleteAlarms", {"AlarmNames": [n]}), ("cloudwatch", "DescribeAlarms", {"AlarmNames": [n]}),
        ("cloudwatch", "DisableAlarmActions", {"AlarmNames": [n]}),
    ]


def forms(n):
    topic = TOPIC[n]
    sns, sqs, cw = "2010-03-31", "2012-11-05", "2010-08-01"
    return [
        ("sns", sns, "Publish", {"TopicArn": topic, "Message": "x"}), ("sns", sns, "Publish", {"TargetArn": topic, "Message": "x"}),
        ("sns", sns, "DeleteTopic", {"TopicArn": topic}), ("sns", sns, "ListTopics", {}), ("sns", sns, "GetTopicAttributes", {"TopicArn": topic}),
        ("sns", sns, "SetTopicAttributes", {"TopicArn": topic, "AttributeName": "DisplayName", "AttributeValue": "x"}),
        ("sqs", sqs, "ReceiveMessage", {"QueueUrl": URL[n]}), ("sqs", sqs, "DeleteQueue", {"QueueUrl": URL[n]}),
        ("sqs", sqs, "PurgeQueue", {"QueueUrl": URL[n]}), ("sqs", sqs, "SendMessage", {"QueueUrl": URL[n], "MessageBody": "x"}),
        ("monitoring", cw, "DeleteAlarms", {"AlarmNames.member.1": n}), ("monitoring", cw, "DescribeAlarms", {"AlarmNames.member.1": n}),
    ]


SUBRESOURCES = ["retention", "analytics", "uploads", "metrics", "inventory", "requestPayment", "intelligent-tiering", "acl", "policy",
                "tagging", "torrent", "legal-hold", "attributes", "versions", "versioning", "location", "delete", "lifecycle", "restore",
                "select", "uploadId", "object-lock", "website", "cors", "accelerate", "policyStatus", "new-thing", "list-type", "id",
                "versionId", "partNumber", "x-id", "prefix", "replication", "encryption", "logging", "session", "renameObject"]
NAMES = ["TableName", "Name", "Names", "QueueUrl", "QueueName", "TopicArn", "TargetArn", "SecretId", "KeyId", "StreamName", "StreamARN",
         "logGroupName", "logGroupIdentifier", "FunctionName", "Rule", "stateMachineArn", "repositoryName", "cluster", "Path", "Action",
         "SourceTableName", "IndexName", "ResourceArn", "WorkGroup", "DeliveryStreamName", "AlarmNames", "EventBusName", "CatalogId",
         "DatabaseName", "registryId", "StreamId", "ARN", "Id", "Bucket", "Key", "name", "resourceArn"]


def value(of):
    """Something that names `decoy-one` or `secret-one`."""
    return RANDOM.choice([of, f"/{of}", URL[of], TOPIC[of], KEY[of], arn("dynamodb", f"table/{of}"), arn("states", f"stateMachine:{of}"),
                          arn("sqs", of), arn("secretsmanager", f"secret:{of}"), arn("kinesis", f"stream/{of}"), arn("lambda", f"function:{of}")])


def odd(text):
    """A name written in another way."""
    return RANDOM.choice([
        lambda: text, lambda: text.upper(), lambda: f"{DECOY}/{text}", lambda: f"{text}/{DECOY}", lambda: f"{text}:{DECOY}", lambda: f" {text}",
        lambda: f"{DECOY}/../{text}", lambda: urllib.parse.quote(text, safe=""), lambda: f"%{ord(text[0]):02x}{text[1:]}", lambda: f"{text}\x00",
        lambda: f"{DECOY},{text}", lambda: text.replace("secret", "s\u0435cret"), lambda: f"//{text}", lambda: f"{text}?{DECOY}", lambda: f"{text}#",
        lambda: arn("dynamodb", f"table/{DECOY}/{text}"), lambda: arn("secretsmanager", f"secret:{text}-aaaaaa"),
        lambda: arn("secretsmanager", f"secret:{DECOY}-aaaaaa:{text}"), lambda: f"http://{DECOY}/{ACCOUNT}/{text}", lambda: f"{ACCOUNT}:{text}",
        lambda: f"http://x/{ACCOUNT}/{DECOY}/{text}", lambda: arn("sns", text, account=""), lambda: arn("sns", text, region="eu-west-1")])()


class Raw:
    """A request before it is signed."""

    def __init__(self, service, method="POST", path="/", query="", body=b"", headers=(), region=REGION):
        self.service, self.method, self.path, self.query, self.body = service, method, path, query, body
        self.headers, self.after, self.region = dict(headers), [], region


def as_json(service, operation, parameters):
    target, signed = JSON[service]
    body = json.dumps(parameters).encode()
    return Raw(signed, body=body, headers={"X-Amz-Target": target + operation, "Content-Type": "application/x-amz-json-1.1"})


def as_form(service, version, operation, parameters):
    body = urllib.parse.urlencode({"Action": operation, "Version": version, **parameters}).encode()
    return Raw(service, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})


def json_call(name):
    service, operation, parameters = RANDOM.choice(calls(name))
    if RANDOM.random() < 0.2:
        parameters = {key: odd(item) if isinstance(item, str) else item for key, item in parameters.items()}
    items = list(parameters.items())
    while RANDOM.random() < 0.6:
        items.insert(RANDOM.randrange(len(items) + 1), (RANDOM.choice(NAMES), value(DECOY)))
    raw = as_json(service, operation, dict(items))
    if len({key for key, _ in items}) < len(items) or RANDOM.random() < 0.1:
        if RANDOM.random() < 0.5:
            items += [(key, DECOY) for key, _ in items[:1]]
        raw.body = ("{" + ",".join(f"{json.dumps(key)}:{json.dumps(item)}" for key, item in items) + "}").encode()
    if RANDOM.random() < 0.1:
        # A body of the decoy, in which another server may find a form about the secret one.
        inner = urllib.parse.urlencode({"Action": operation, **{key: item for key, item in parameters.items() if isinstance(item, str)}})
        decoy = next((own for of, name, own in calls(DECOY) if (of, name) == (service, operation)), {})
        raw.body = json.dumps({**decoy, RANDOM.choice(NAMES + ["Description", "Value", "Message"]): f"&{inner}&"}).encode()
    return raw


def form_call(name):
    service, version, operation, parameters = RANDOM.choice(forms(name))
    parameters = dict(parameters)
    while RANDOM.random() < 0.6:
        parameters.setdefault(RANDOM.choice(NAMES), value(DECOY))
    raw = as_form(service, version, operation, parameters)
    if RANDOM.random() < 0.3:
        raw.body += b"&" + urllib.parse.urlencode({RANDOM.choice(list(parameters) or ["Action"]): value(RANDOM.choice([DECOY, SECRET]))}).encode()
    if RANDOM.random() < 0.2:
        raw.query = urllib.parse.urlencode({RANDOM.choice(["Action", "TopicArn", "QueueUrl"]): RANDOM.choice([operation, value(DECOY)])})
    if RANDOM.random() < 0.1:
        raw.method, raw.query, raw.body, raw.headers = "GET", raw.body.decode(), b"", {}
    if service == "sqs" and RANDOM.random() < 0.4:
        raw.path = f"/{ACCOUNT}/{RANDOM.choice([DECOY, SECRET])}"
    return raw


def function_call(name):
    base = f"/2015-03-31/functions/{RANDOM.choice([name, odd(name), urllib.parse.quote(arn('lambda', 'function:' + name), safe='')])}"
    base = base.replace("\x00", "%00").replace(" ", "%20").replace("#", "%23").replace("?", RANDOM.choice(["?", "%3F"])).encode("ascii", "ignore").decode()
    method, path, body = RANDOM.choice([
        ("GET", base, {}), ("DELETE", base, {}), ("PUT", base + "/configuration", {"Description": "x"}), ("GET", base + "/policy", {}),
        ("POST", base + "/invocations", {}), ("PUT", base + "/code", {"ZipFile": "eA=="}), ("GET", "/2015-03-31/functions", {}),
        ("GET", base + "/configuration", {}), ("GET", base.replace("/functions/", "//functions/"), {}), ("GET", base.replace("2015-03-31", "x"), {}),
        ("GET", f"/2015-03-31/functions/{DECOY}%2F..%2F{name}", {}), ("GET", f"/2015-03-31/functions/{DECOY}/../{name}", {})])
    raw = Raw("lambda", method, path.split("?")[0], path.partition("?")[2], json.dumps(body).encode() if body else b"")
    if RANDOM.random() < 0.4:
        raw.path = raw.path.replace(name, DECOY)
        raw.query = urllib.parse.urlencode({RANDOM.choice(["FunctionName", "Action", "function_name", "Qualifier"]): name})
    if RANDOM.random() < 0.3:
        raw.body = RANDOM.choice([json.dumps({"FunctionName": name, **body}).encode(), f"x&FunctionName={name}&Action=DeleteFunction".encode()])
    return raw


def object_call(name):
    method = RANDOM.choice(["GET", "GET", "PUT", "DELETE", "DELETE", "HEAD", "POST"])
    path = RANDOM.choice([f"/{name}", f"/{name}/k", f"/{name}/", f"//{name}/k", f"/{DECOY}/../{name}/k", f"/{DECOY}/%2e%2e/{name}/k", f"/{name}%2Fk",
                          f"/%{ord(name[0]):02x}{name[1:]}/k", f"/./{name}/k", "/", f"/{DECOY}/k", "/k", f"/{DECOY}"])
    raw = Raw("s3", method, path, body=b"x" if method in ("PUT", "POST") else b"")
    while RANDOM.random() < 0.5:
        key = RANDOM.choice(SUBRESOURCES)
        raw.query += ("&" if raw.query else "") + RANDOM.choice([key, f"{key}=", f"{key}=1", f"%{ord(key[0]):02x}{key[1:]}"])
    if RANDOM.random() < 0.3:
        raw.headers["Host"] = RANDOM.choice([f"{name}.localhost", f"{name}.s3.localhost", f"{DECOY}.localhost", f"{name}.s3.amazonaws.com", f"{name}.x",
                                             f"{DECOY}.{name}.localhost", f"{name}.s3.{DECOY}.s3.localhost", f"{name}.s3-website.localhost"])
    if RANDOM.random() < 0.2:
        raw.method, raw.path = "PUT", f"/{DECOY}/copy"
        raw.headers["x-amz-copy-source"] = RANDOM.choice([f"/{name}/k", f"{name}%2Fk", f"//{name}/k", f"{DECOY}/../{name}/k", f"/{DECOY}%2F..%2F{name}/k",
                                                          f"http://x/{name}/k", f"{name}/k?versionId=null", f"%2f{name}/k", f"arn:aws:s3:::{name}/k"])
    if RANDOM.random() < 0.1:
        raw.service = RANDOM.choice(["s3express", "s3-outposts", "s3-object-lambda", "s3control", "S3", "s3tables"])
    if method == "POST" and RANDOM.random() < 0.5:
        raw.query, raw.body = "delete", b"<Delete><Object><Key>k</Key></Object></Delete>"
    return raw


def mutated(raw):
    """The same, made odd in ways that know no protocol."""
    while RANDOM.random() < 0.35:
        secret = RANDOM.choice(calls(SECRET))
        which = RANDOM.randrange(14)
        if which == 0:
            raw.service = RANDOM.choice([*{signed for _, signed in JSON.values()}, "s3", "lambda", "eventbridge", "sns", "execute-api", "moto_api", "iotdata"])
        elif which == 1:
            raw.after.append(("X-Amz-Target", JSON[secret[0]][0] + secret[1]))
        elif which == 2:
            raw.after.append((RANDOM.choice(["Action", "TableName", "Name", "SecretId", "QueueUrl"]), RANDOM.choice([secret[1], SECRET])))
        elif which == 3:
            raw.after.append((RANDOM.choice(["X-HTTP-Method-Override", "X-Method-Override"]), RANDOM.choice(["DELETE", "GET"])))
        elif which == 4:
            raw.headers["Content-Type"] = RANDOM.choice(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/plain",
                                                         "application/cbor"])
        elif which == 5:
            raw.headers["Host"] = RANDOM.choice(["localhost", "sqs.us-east-1.amazonaws.com", "dynamodb.localhost", "s3.localhost", f"{SECRET}.localhost", "x"])
        elif which == 6:
            raw.path = RANDOM.choice([raw.path + "/", "/" + raw.path, "/moto-api/data.json", "/moto-api/reset", "/latest/meta-data/", "/_localstack/x",
                                      f"/{ACCOUNT}/{SECRET}", "/%6doto-api/data.json"])
        elif which == 7:
            raw.body, raw.headers["Content-Encoding"] = gzip.compress(raw.body), "gzip"
        elif which == 8:
            raw.after.append(("X-Moto-Account-Id", ACCOUNT))
        elif which == 9:
            raw.after.append(("User-Agent", "x region/eu-west-1"))
        elif which == 10:
            raw.query += ("&" if raw.query else "") + urllib.parse.urlencode({"Action": secret[1], RANDOM.choice(NAMES): SECRET})
        elif which == 11:
            raw.method = RANDOM.choice(["GET", "PUT", "DELETE", "POST"])
        elif which == 12:
            raw.region = RANDOM.choice(["eu-west-1", "us-east-1.s3", "x/y", "us-gov-west-1"])
        else:
            raw.body = raw.body.replace(b'"', b"'", 2) if RANDOM.random() < 0.3 else raw.body.replace(b"secret", b"\\u0073ecret") + b" " * RANDOM.randrange(3)
    return raw


# -- asking

CONNECTION = http.client.HTTPConnection(HERE.hostname, HERE.port, timeout=60)


def send(raw, credentials):
    host = raw.headers.get("Host", HERE.netloc)
    url = f"http://{host}{raw.path}" + (f"?{raw.query}" if raw.query else "")
    request = AWSRequest(raw.method, url, {**raw.headers, "Host": host}, raw.body)
    signer = (S3SigV4Auth if raw.service == "s3" else SigV4Auth)(credentials, raw.service, raw.region)
    signer.add_auth(request)
    CONNECTION.putrequest(raw.method, raw.path + (f"?{raw.query}" if raw.query else ""), skip_host=True, skip_accept_encoding=True)
    for name, item in [*request.headers.items(), *raw.after, ("Content-Length", str(len(raw.body)))]:
        if name.lower() != "content-length" or item == str(len(raw.body)):
            CONNECTION.putheader(name, item)
    CONNECTION.endheaders(raw.body)
    answer = CONNECTION.getresponse()
    return answer.status, answer.read(), answer.headers


def main():
    C["time"] = int(__import__("time").time() * 1000)
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}
    C["iam"].create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))
    for name, content in ((DECOY, "plain"), (SECRET, CANARY), (HIDDEN, CANARY)):
        make(name, content)
    before = {name: state(name) for name in (SECRET, HIDDEN)}
    decoys, secrets = list(resources(DECOY)), list(resources(SECRET))
    allowed = [{"Effect": "Allow", "Action": f"{service}:*", "Resource": resource} for service, resource in decoys]
    denied = [{"Effect": "Deny", "Action": f"{service}:*", "Resource": whole(resource)} for service, resource in secrets + list(resources(HIDDEN))]
    # Lists show all that there is.
    lists = [f"{service}:{operation}" for service, operation, parameters in calls(DECOY) if not parameters and operation != "CreateKey"]
    lists += ["lambda:ListFunctions", "sns:ListTopics"]
    denied.append({"Effect": "Deny", "Action": lists, "Resource": "*"})
    half = len(allowed) // 2
    of_decoys = user("decoys", [allowed[:half], allowed[half:]])
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    all_but = user("allbut", [everything, *(denied[at:at + 18] for at in range(0, len(denied), 18))])
    statuses, faults, services, passed, recent = {}, [], set(), 0, []
    for number in range(COUNT):
        name = SECRET if RANDOM.random() < 0.85 else DECOY
        raw = RANDOM.choices([json_call, form_call, function_call, object_call], [6, 2, 2, 3])[0](name)
        raw = mutated(raw)
        who, credentials = RANDOM.choice([("decoys", of_decoys), ("allbut", all_but)])
        try:
            status, body, headers = send(raw, credentials)
        except (http.client.HTTPException, ConnectionError, ValueError, UnicodeError):
            # What can't be sent, or ends the connection, passes nothing.
            CONNECTION.close()
            status, body, headers = 0, b"", {}
        statuses[status] = statuses.get(status, 0) + 1
        services.add(raw.service)
        passed += "server" in headers
        text = body.decode("utf-8", "replace")
        shown = (f"{number} {who} {raw.service}/{raw.region} {raw.method} {raw.path}?{raw.query} {raw.headers} {raw.after} {raw.body[:300]} "
                 f"-> {status}")
        if "server" in headers:
            recent.append(shown)
        found = CANARY in text or __import__("base64").b64encode(CANARY.encode()).decode() in text or (who == "decoys" and HIDDEN in text)
        changed = []
        if number % 400 == 399 or number + 1 == COUNT:
            for own in before:
                try:
                    now = state(own)
                except Exception as error:  # gone is changed, too
                    now = [repr(error)]
                changed += [f"{own}: {difference}" for difference in differences(before[own], now)]
            changed += recent if changed else []
            recent = []
        if found or changed:
            faults.append(f"{shown} {text[:200] if found else ''}" + "".join(f"\n  {change}" for change in changed))
            if changed or len(faults) > 20:
                break
    print("\n".join(faults))
    print(f"{sum(statuses.values())} requests of {len(services)} services, seed {SEED}: {passed} reached the server behind, {len(faults)} that should not; "
          f"statuses {dict(sorted(statuses.items()))}")
    # Without calls that pass, nothing would be shown.
    sys.exit(bool(faults) or passed < COUNT // 50 or len(services) < 12)


main()
