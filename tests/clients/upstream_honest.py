"""Calls of boto3 that a caller may make, over many services, through a stand-in with another server behind it: none is lost.

For each service a user of its own, whose policy names the resources that it works on; `*` stands only where the service's
actions take no resource. Expects AWS_ENDPOINT_URL, the administrator's keys, and BEHIND, the URL of the server behind.
"""

import io
import json
import os
import sys
import zipfile

import boto3
from botocore.config import Config

REGION, ACCOUNT = "us-east-1", "123456789012"
ADMIN = boto3.Session(region_name=REGION)
IAM = ADMIN.client("iam")
COUNTED = {}
FAILED = []

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"


def arn(service, resource, region=REGION, account=ACCOUNT):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


class User:
    """Somebody who may do `actions` on `resources`, and `anywhere` what takes no resource."""

    def __init__(self, service, resources, anywhere=(), prefix=None, role=None, more=()):
        self.service, prefix = service, prefix or service
        statements = [{"Effect": "Allow", "Action": f"{prefix}:*", "Resource": resources}] if resources else []
        if anywhere:
            statements.append({"Effect": "Allow", "Action": [f"{prefix}:{name}" for name in anywhere], "Resource": "*"})
        if role:
            condition = {"StringEquals": {"iam:PassedToService": role}}
            statements.append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE, "Condition": condition})
        statements.extend(more)
        name = f"honest-{service}"
        IAM.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        policy = IAM.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        IAM.attach_user_policy(UserName=name, PolicyArn=policy)
        key = IAM.create_access_key(UserName=name)["AccessKey"]
        self.session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
        self.client = self.session.client(service, config=Config(retries={"max_attempts": 1}))

    def __getattr__(self, name):
        method = getattr(self.client, name)

        def call(**arguments):
            COUNTED.setdefault(self.service, 0)
            try:
                answer = method(**arguments)
            except Exception as error:  # all are told at the end
                FAILED.append(f"{self.service}.{name}: {error}")
                return Nothing()
            COUNTED[self.service] += 1
            return answer

        return call


class Nothing(dict):
    """What a failed call answers: the next one is tried all the same."""

    def __missing__(self, name):
        return Nothing()

    def __getitem__(self, name):
        return Nothing()

    def __str__(self):
        return "nothing"


def text(value):
    return value if isinstance(value, (str, bytes)) else "nothing"


def dynamodb():
    u = User("dynamodb", [arn("dynamodb", "table/books"), arn("dynamodb", "table/books-*"), arn("dynamodb", "table/books/*")],
             ["ListTables", "ListBackups", "DescribeLimits", "DescribeEndpoints"])
    table = {"TableName": "books"}
    u.create_table(**table, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                   AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    u.describe_table(**table)
    u.put_item(**table, Item={"id": {"S": "1"}, "note": {"S": "a&Action=b&TableName=c"}})
    u.get_item(**table, Key={"id": {"S": "1"}})
    u.get_item(TableName=arn("dynamodb", "table/books"), Key={"id": {"S": "1"}})
    u.update_item(**table, Key={"id": {"S": "1"}}, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "x"}})
    u.query(**table, KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}})
    u.scan(**table)
    u.batch_get_item(RequestItems={"books": {"Keys": [{"id": {"S": "1"}}]}})
    u.batch_write_item(RequestItems={"books": [{"PutRequest": {"Item": {"id": {"S": "2"}}}}]})
    u.transact_write_items(TransactItems=[{"Put": {**table, "Item": {"id": {"S": "3"}}}},
                                          {"Delete": {**table, "Key": {"id": {"S": "2"}}}}])
    u.transact_get_items(TransactItems=[{"Get": {**table, "Key": {"id": {"S": "3"}}}}])
    u.delete_item(**table, Key={"id": {"S": "3"}})
    u.list_tables()
    u.describe_limits()
    u.tag_resource(ResourceArn=arn("dynamodb", "table/books"), Tags=[{"Key": "a", "Value": "b"}])
    u.list_tags_of_resource(ResourceArn=arn("dynamodb", "table/books"))
    u.update_continuous_backups(**table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    u.describe_continuous_backups(**table)
    u.restore_table_to_point_in_time(SourceTableName="books", TargetTableName="books-2", UseLatestRestorableTime=True)
    backup = u.create_backup(**table, BackupName="one")["BackupDetails"]["BackupArn"]
    u.describe_backup(BackupArn=text(backup))
    u.delete_backup(BackupArn=text(backup))
    u.delete_table(TableName="books-2")


def s3():
    u = User("s3", ["arn:aws:s3:::honest-bucket", "arn:aws:s3:::honest-bucket/*"], ["ListAllMyBuckets"])
    b, k = {"Bucket": "honest-bucket"}, {"Bucket": "honest-bucket", "Key": "a key/ü+&=?.txt"}
    u.create_bucket(**b)
    u.head_bucket(**b)
    u.list_buckets()
    u.put_object(**k, Body=b"one")
    u.get_object(**k)
    u.head_object(**k)
    u.list_objects_v2(**b, Prefix="a ", Delimiter="/")
    u.list_objects(**b)
    u.put_object(Bucket="honest-bucket", Key="plain", Body=b"two", ACL="private", Tagging="a=b")
    u.copy_object(Bucket="honest-bucket", Key="copy", CopySource={"Bucket": "honest-bucket", "Key": "plain"})
    u.get_object_tagging(Bucket="honest-bucket", Key="plain")
    u.put_object_tagging(Bucket="honest-bucket", Key="plain", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    u.get_object_acl(Bucket="honest-bucket", Key="plain")
    u.put_bucket_versioning(**b, VersioningConfiguration={"Status": "Enabled"})
    u.get_bucket_versioning(**b)
    u.list_object_versions(**b)
    u.get_bucket_location(**b)
    u.put_bucket_tagging(**b, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    u.get_bucket_tagging(**b)
    u.get_bucket_acl(**b)
    upload = u.create_multipart_upload(Bucket="honest-bucket", Key="parts")["UploadId"]
    part = u.upload_part(Bucket="honest-bucket", Key="parts", UploadId=text(upload), PartNumber=1, Body=b"x")["ETag"]
    u.list_parts(Bucket="honest-bucket", Key="parts", UploadId=text(upload))
    u.list_multipart_uploads(**b)
    u.complete_multipart_upload(Bucket="honest-bucket", Key="parts", UploadId=text(upload),
                                MultipartUpload={"Parts": [{"ETag": text(part), "PartNumber": 1}]})
    u.delete_object(Bucket="honest-bucket", Key="copy")
    u.delete_objects(**b, Delete={"Objects": [{"Key": "plain"}]})
    u.put_public_access_block(**b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    u.get_public_access_block(**b)


def sqs():
    u = User("sqs", [arn("sqs", "jobs"), arn("sqs", "jobs-dead")], ["ListQueues"])
    url = {"QueueUrl": text(u.create_queue(QueueName="jobs")["QueueUrl"])}
    u.create_queue(QueueName="jobs-dead")
    u.get_queue_url(QueueName="jobs")
    u.send_message(**url, MessageBody="x&Action=DeleteQueue&QueueUrl=y")
    u.send_message_batch(**url, Entries=[{"Id": "1", "MessageBody": "y"}])
    message = u.receive_message(**url).get("Messages", [{}])[0]
    u.change_message_visibility(**url, ReceiptHandle=message.get("ReceiptHandle", ""), VisibilityTimeout=5)
    u.delete_message(**url, ReceiptHandle=message.get("ReceiptHandle", ""))
    u.get_queue_attributes(**url, AttributeNames=["All"])
    u.set_queue_attributes(**url, Attributes={"VisibilityTimeout": "7"})
    u.tag_queue(**url, Tags={"a": "b"})
    u.list_queue_tags(**url)
    u.list_queues()
    u.purge_queue(**url)
    u.delete_queue(**url)


def sns():
    u = User("sns", [arn("sns", "news")], ["ListTopics", "ListSubscriptions", "GetSMSAttributes"])
    topic = {"TopicArn": text(u.create_topic(Name="news")["TopicArn"])}
    u.get_topic_attributes(**topic)
    u.set_topic_attributes(**topic, AttributeName="DisplayName", AttributeValue="n")
    u.subscribe(**topic, Protocol="email", Endpoint="me@example.com")
    u.publish(**topic, Message="hello & goodbye")
    u.publish(TargetArn=topic["TopicArn"], Message="hello")
    u.publish_batch(**topic, PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
    u.list_subscriptions_by_topic(**topic)
    u.list_topics()
    u.list_subscriptions()
    u.tag_resource(ResourceArn=topic["TopicArn"], Tags=[{"Key": "a", "Value": "b"}])
    u.list_tags_for_resource(ResourceArn=topic["TopicArn"])
    u.delete_topic(**topic)


def ssm():
    u = User("ssm", [arn("ssm", "parameter/app"), arn("ssm", "parameter/app/*"), arn("ssm", "document/hello")],
             ["DescribeParameters", "ListDocuments"])
    u.put_parameter(Name="/app/one", Value="1", Type="String")
    u.put_parameter(Name="/app/two", Value="2", Type="String")
    u.get_parameter(Name="/app/one")
    u.get_parameter(Name="/app/one:1")
    u.get_parameters(Names=["/app/one", "/app/two"])
    u.get_parameters_by_path(Path="/app")
    u.get_parameter_history(Name="/app/one")
    u.label_parameter_version(Name="/app/one", ParameterVersion=1, Labels=["l"])
    u.describe_parameters()
    u.delete_parameter(Name="/app/one")
    u.delete_parameters(Names=["/app/two"])
    u.create_document(Name="hello", Content=json.dumps({"schemaVersion": "2.2", "mainSteps": []}), DocumentType="Command")
    u.describe_document(Name="hello")
    u.get_document(Name="hello")
    u.list_documents()


def secretsmanager():
    u = User("secretsmanager", [arn("secretsmanager", "secret:app/db-*")], ["ListSecrets", "GetRandomPassword"])
    made = u.create_secret(Name="app/db", SecretString="s")
    u.get_secret_value(SecretId="app/db")
    u.get_secret_value(SecretId=text(made["ARN"]))
    u.get_secret_value(SecretId=arn("secretsmanager", "secret:app/db"))
    u.put_secret_value(SecretId="app/db", SecretString="t")
    u.describe_secret(SecretId="app/db")
    u.update_secret(SecretId="app/db", Description="d")
    u.list_secret_version_ids(SecretId="app/db")
    u.tag_resource(SecretId="app/db", Tags=[{"Key": "a", "Value": "b"}])
    u.list_secrets()
    u.get_random_password()
    u.delete_secret(SecretId="app/db")
    u.restore_secret(SecretId="app/db")


def kms():
    u = User("kms", [arn("kms", "key/*")], ["CreateKey", "ListKeys", "ListAliases", "GenerateRandom"],
             more=[{"Effect": "Allow", "Action": "kms:*Alias", "Resource": arn("kms", "alias/mine")}])
    key = {"KeyId": text(u.create_key(Description="k")["KeyMetadata"]["KeyId"])}
    u.describe_key(**key)
    blob = u.encrypt(**key, Plaintext=b"p")["CiphertextBlob"]
    blob = blob if isinstance(blob, bytes) else b""
    u.decrypt(CiphertextBlob=blob)
    u.decrypt(**key, CiphertextBlob=blob)
    u.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])
    u.generate_data_key(**key, KeySpec="AES_256")
    u.generate_random(NumberOfBytes=8)
    u.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    u.list_aliases()
    u.list_keys()
    u.get_key_policy(**key, PolicyName="default")
    u.enable_key_rotation(**key)
    u.get_key_rotation_status(**key)
    u.tag_resource(**key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    u.list_resource_tags(**key)
    u.disable_key(**key)
    u.schedule_key_deletion(**key)


def kinesis():
    u = User("kinesis", [arn("kinesis", "stream/clicks")], ["ListStreams", "DescribeLimits"])
    stream = {"StreamName": "clicks"}
    u.create_stream(**stream, ShardCount=1)
    u.describe_stream(**stream)
    u.describe_stream_summary(StreamARN=arn("kinesis", "stream/clicks"))
    u.put_record(**stream, Data=b"d", PartitionKey="p")
    u.put_records(**stream, Records=[{"Data": b"d", "PartitionKey": "p"}])
    iterator = u.get_shard_iterator(**stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    u.get_records(ShardIterator=text(iterator["ShardIterator"]))
    u.list_shards(**stream)
    u.list_streams()
    u.add_tags_to_stream(**stream, Tags={"a": "b"})
    u.list_tags_for_stream(**stream)
    u.increase_stream_retention_period(**stream, RetentionPeriodHours=48)
    u.delete_stream(**stream)


def logs():
    u = User("logs", [arn("logs", "log-group:/app/web:*")], ["DescribeLogGroups"])
    group, stream = {"logGroupName": "/app/web"}, {"logGroupName": "/app/web", "logStreamName": "s"}
    u.create_log_group(**group)
    u.create_log_stream(**stream)
    u.put_log_events(**stream, logEvents=[{"timestamp": 1_800_000_000_000, "message": "m"}])
    u.get_log_events(**stream)
    u.describe_log_streams(**group)
    u.filter_log_events(**group)
    u.put_retention_policy(**group, retentionInDays=7)
    u.put_metric_filter(**group, filterName="f", filterPattern="x", metricTransformations=[
        {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])
    u.describe_metric_filters(**group)
    u.tag_log_group(**group, tags={"a": "b"})
    u.list_tags_log_group(**group)
    u.delete_log_stream(**stream)
    u.delete_log_group(**group)


def code():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("handler.py", "def handler(event, context):\n    return event\n")
    return packed.getvalue()


def lambda_():
    u = User("lambda", [arn("lambda", "function:work")], ["ListFunctions", "GetAccountSettings", "ListEventSourceMappings"],
             role="lambda.amazonaws.com", more=[{"Effect": "Allow", "Action": "lambda:*", "Resource": arn("lambda", "layer:lib*")}])
    f = {"FunctionName": "work"}
    u.create_function(**f, Runtime="python3.12", Role=ROLE, Handler="handler.handler", Code={"ZipFile": code()})
    u.get_function(**f)
    u.get_function(FunctionName=arn("lambda", "function:work"))
    u.get_function_configuration(**f)
    u.update_function_configuration(**f, Timeout=9)
    u.update_function_code(**f, ZipFile=code())
    u.list_functions()
    u.publish_version(**f)
    u.list_versions_by_function(**f)
    u.create_alias(**f, Name="live", FunctionVersion="1")
    u.get_alias(**f, Name="live")
    u.list_aliases(**f)
    u.add_permission(**f, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    u.get_policy(**f)
    u.tag_resource(Resource=arn("lambda", "function:work"), Tags={"a": "b"})
    u.list_tags(Resource=arn("lambda", "function:work"))
    u.put_function_concurrency(**f, ReservedConcurrentExecutions=1)
    u.publish_layer_version(LayerName="lib", Content={"ZipFile": code()})
    u.delete_function(**f)


def events():
    u = User("events", [arn("events", "rule/nightly"), arn("events", "event-bus/*"), arn("events", "rule/own/*")],
             ["ListRules", "ListEventBuses"])
    u.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    u.describe_rule(Name="nightly")
    u.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": arn("sqs", "jobs")}])
    u.list_targets_by_rule(Rule="nightly")
    u.disable_rule(Name="nightly")
    u.enable_rule(Name="nightly")
    u.list_rules()
    u.create_event_bus(Name="own")
    u.describe_event_bus(Name="own")
    u.put_rule(Name="inner", EventBusName="own", EventPattern='{"source":["x"]}')
    u.list_event_buses()
    u.remove_targets(Rule="nightly", Ids=["1"])
    u.delete_rule(Name="nightly")


def states():
    machine = arn("states", "stateMachine:flow")
    u = User("stepfunctions", [machine, arn("states", "execution:flow:*")], ["ListStateMachines"], prefix="states",
             role="states.amazonaws.com")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    u.create_state_machine(name="flow", definition=definition, roleArn=ROLE)
    u.describe_state_machine(stateMachineArn=machine)
    execution = u.start_execution(stateMachineArn=machine, name="run", input="{}")["executionArn"]
    u.describe_execution(executionArn=text(execution))
    u.get_execution_history(executionArn=text(execution))
    u.list_executions(stateMachineArn=machine)
    u.list_state_machines()
    u.update_state_machine(stateMachineArn=machine, definition=definition)
    u.tag_resource(resourceArn=machine, tags=[{"key": "a", "value": "b"}])
    u.list_tags_for_resource(resourceArn=machine)
    u.delete_state_machine(stateMachineArn=machine)


def ecr():
    u = User("ecr", [arn("ecr", "repository/team/web")], ["DescribeRepositories", "GetAuthorizationToken"])
    r = {"repositoryName": "team/web"}
    u.create_repository(**r)
    u.describe_repositories(repositoryNames=["team/web"])
    u.list_images(**r)
    u.put_image(**r, imageManifest=json.dumps({"schemaVersion": 2, "layers": [], "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}), imageTag="t")
    u.describe_images(**r)
    u.batch_get_image(**r, imageIds=[{"imageTag": "t"}])
    u.put_lifecycle_policy(**r, lifecyclePolicyText=json.dumps({"rules": [{"rulePriority": 1, "selection": {
        "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}))
    u.get_lifecycle_policy(**r)
    u.get_authorization_token()
    u.delete_repository(**r, force=True)


def ecs():
    u = User("ecs", [arn("ecs", "cluster/blue"), arn("ecs", "service/blue/web"), arn("ecs", "task-definition/web:*")],
             ["ListClusters", "RegisterTaskDefinition", "ListTaskDefinitions", "DescribeTaskDefinition", "DeregisterTaskDefinition"])
    u.create_cluster(clusterName="blue")
    u.describe_clusters(clusters=["blue"])
    u.list_clusters()
    u.register_task_definition(family="web", containerDefinitions=[{"name": "c", "image": "i", "memory": 64}])
    u.describe_task_definition(taskDefinition="web:1")
    u.list_task_definitions()
    u.create_service(cluster="blue", serviceName="web", taskDefinition="web:1", desiredCount=0)
    u.describe_services(cluster="blue", services=["web"])
    u.update_service(cluster="blue", service="web", desiredCount=0)
    u.delete_service(cluster="blue", service="web")
    u.delete_cluster(cluster="blue")


def ec2():
    u = User("ec2", [arn("ec2", f"{kind}/*") for kind in (
        "instance", "volume", "network-interface", "security-group", "subnet", "vpc", "key-pair", "snapshot", "internet-gateway")]
        + [arn("ec2", "image/*", account=""), arn("ec2", "snapshot/*", account="")],
        ["DescribeInstances", "DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeImages", "DescribeVolumes",
         "DescribeKeyPairs", "DescribeRegions", "CreateTags"])
    vpc = text(u.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    subnet = text(u.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"])
    group = text(u.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"])
    u.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}])
    u.describe_vpcs()
    u.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    u.describe_security_groups(GroupIds=[group])
    image = u.describe_images(Owners=["amazon"]).get("Images", [{}])[0].get("ImageId", "")
    u.create_key_pair(KeyName="k")
    run = u.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, KeyName="k", SecurityGroupIds=[group])
    instance = run.get("Instances", [{}])[0].get("InstanceId", "")
    u.describe_instances(InstanceIds=[instance])
    u.stop_instances(InstanceIds=[instance])
    u.start_instances(InstanceIds=[instance])
    u.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
    volume = text(u.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"])
    u.describe_volumes()
    u.create_snapshot(VolumeId=volume)
    u.delete_volume(VolumeId=volume)
    u.terminate_instances(InstanceIds=[instance])
    u.delete_key_pair(KeyName="k")


def rds():
    u = User("rds", [arn("rds", "db:main"), arn("rds", "subgrp:*"), arn("rds", "og:*"), arn("rds", "pg:*"), arn("rds", "secgrp:*"),
                     arn("rds", "snapshot:main-*"), arn("rds", "cluster:*")], ["DescribeDBEngineVersions", "DescribeDBInstances"])
    u.create_db_instance(DBInstanceIdentifier="main", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
                         MasterUsername="root", MasterUserPassword="hunter22222")
    u.describe_db_instances(DBInstanceIdentifier="main")
    u.modify_db_instance(DBInstanceIdentifier="main", AllocatedStorage=30)
    u.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="main-1")
    u.describe_db_snapshots(DBInstanceIdentifier="main")
    u.stop_db_instance(DBInstanceIdentifier="main")
    u.start_db_instance(DBInstanceIdentifier="main")
    u.add_tags_to_resource(ResourceName=arn("rds", "db:main"), Tags=[{"Key": "a", "Value": "b"}])
    u.list_tags_for_resource(ResourceName=arn("rds", "db:main"))
    u.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)


def cloudformation():
    u = User("cloudformation", [arn("cloudformation", "stack/web/*")], ["ListStacks", "ValidateTemplate", "DescribeStacks"])
    body = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    u.validate_template(TemplateBody=body)
    u.create_stack(StackName="web", TemplateBody=body)
    u.describe_stacks(StackName="web")
    u.list_stack_resources(StackName="web")
    u.describe_stack_resources(StackName="web")
    u.get_template(StackName="web")
    u.update_stack(StackName="web", TemplateBody=body.replace('"Q"', '"R"'))
    u.list_stacks()
    u.delete_stack(StackName="web")


def cloudwatch():
    u = User("cloudwatch", [arn("cloudwatch", "alarm:high"), f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/main"],
             ["PutMetricData", "ListMetrics", "GetMetricStatistics", "DescribeAlarms", "ListDashboards", "GetMetricData"])
    u.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])
    u.list_metrics(Namespace="n")
    u.put_metric_alarm(AlarmName="high", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1,
                       Threshold=1.0, ComparisonOperator="GreaterThanThreshold")
    u.describe_alarms(AlarmNames=["high"])
    u.set_alarm_state(AlarmName="high", StateValue="OK", StateReason="r")
    u.put_dashboard(DashboardName="main", DashboardBody=json.dumps({"widgets": []}))
    u.get_dashboard(DashboardName="main")
    u.list_dashboards()
    u.delete_alarms(AlarmNames=["high"])


def ses():
    u = User("ses", [arn("ses", "identity/*")], ["ListIdentities", "VerifyEmailIdentity", "GetSendQuota", "GetSendStatistics",
                                                 "VerifyDomainIdentity"])
    u.verify_email_identity(EmailAddress="me@example.com")
    u.verify_domain_identity(Domain="example.com")
    u.list_identities()
    u.send_email(Source="me@example.com", Destination={"ToAddresses": ["you@example.com"]},
                 Message={"Subject": {"Data": "s & t"}, "Body": {"Text": {"Data": "b"}}})
    u.get_send_quota()
    u.get_send_statistics()


def sesv2():
    u = User("sesv2", [arn("ses", "identity/you@example.com"), arn("ses", "contact-list/*"), arn("ses", "configuration-set/*")],
             ["ListEmailIdentities", "ListContactLists"], prefix="ses")
    u.create_email_identity(EmailIdentity="you@example.com")
    u.get_email_identity(EmailIdentity="you@example.com")
    u.list_email_identities()
    u.create_contact_list(ContactListName="list")
    u.list_contact_lists()
    u.get_contact_list(ContactListName="list")


def route53():
    u = User("route53", ["arn:aws:route53:::hostedzone/*", "arn:aws:route53:::change/*"],
             ["ListHostedZones", "CreateHostedZone", "ListHostedZonesByName", "CreateHealthCheck", "ListHealthChecks"])
    zone = text(u.create_hosted_zone(Name="example.org.", CallerReference="r")["HostedZone"]["Id"]).split("/")[-1]
    u.get_hosted_zone(Id=zone)
    u.list_hosted_zones()
    u.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": "a.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})
    u.list_resource_record_sets(HostedZoneId=zone)
    u.list_hosted_zones_by_name()


def acm():
    u = User("acm", [arn("acm", "certificate/*")], ["ListCertificates", "RequestCertificate"])
    made = text(u.request_certificate(DomainName="example.com")["CertificateArn"])
    u.describe_certificate(CertificateArn=made)
    u.list_certificates()
    u.add_tags_to_certificate(CertificateArn=made, Tags=[{"Key": "a", "Value": "b"}])
    u.list_tags_for_certificate(CertificateArn=made)
    u.delete_certificate(CertificateArn=made)


def firehose():
    u = User("firehose", [arn("firehose", "deliverystream/in")], ["ListDeliveryStreams"], role="firehose.amazonaws.com")
    d = {"DeliveryStreamName": "in"}
    u.create_delivery_stream(**d, S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::honest-bucket"})
    u.describe_delivery_stream(**d)
    u.list_delivery_streams()
    u.put_record(**d, Record={"Data": b"x"})
    u.put_record_batch(**d, Records=[{"Data": b"x"}])
    u.delete_delivery_stream(**d)


def athena():
    u = User("athena", [arn("athena", "workgroup/team"), arn("athena", "datacatalog/cat")],
             ["ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"])
    u.create_work_group(Name="team")
    u.get_work_group(WorkGroup="team")
    u.list_work_groups()
    u.create_data_catalog(Name="cat", Type="GLUE")
    u.get_data_catalog(Name="cat")
    u.list_data_catalogs()
    u.start_query_execution(QueryString="select 1", WorkGroup="team")


def glue():
    u = User("glue", [arn("glue", "catalog"), arn("glue", "database/db"), arn("glue", "table/db/*"), arn("glue", "job/j")],
             ["ListJobs"], role="glue.amazonaws.com")
    u.create_database(DatabaseInput={"Name": "db"})
    u.get_database(Name="db")
    u.create_table(DatabaseName="db", TableInput={"Name": "t"})
    u.get_table(DatabaseName="db", Name="t")
    u.get_tables(DatabaseName="db")
    u.create_job(Name="j", Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://b/s"})
    u.get_job(JobName="j")
    u.list_jobs()
    u.delete_table(DatabaseName="db", Name="t")


def cognito():
    u = User("cognito-idp", [arn("cognito-idp", "userpool/*")], ["CreateUserPool", "ListUserPools"])
    pool = {"UserPoolId": text(u.create_user_pool(PoolName="p")["UserPool"]["Id"])}
    u.describe_user_pool(**pool)
    u.list_user_pools(MaxResults=5)
    u.create_user_pool_client(**pool, ClientName="c")
    u.list_user_pool_clients(**pool)
    u.admin_create_user(**pool, Username="alice")
    u.admin_get_user(**pool, Username="alice")
    u.list_users(**pool)
    u.admin_delete_user(**pool, Username="alice")
    u.delete_user_pool(**pool)


def elb():
    u = User("elb", [arn("elasticloadbalancing", "loadbalancer/classic")], ["DescribeLoadBalancers"], prefix="elasticloadbalancing")
    u.create_load_balancer(LoadBalancerName="classic", AvailabilityZones=["us-east-1a"],
                           Listeners=[{"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}])
    u.describe_load_balancers()
    u.describe_load_balancers(LoadBalancerNames=["classic"])
    u.configure_health_check(LoadBalancerName="classic", HealthCheck={"Target": "HTTP:80/", "Interval": 5, "Timeout": 3,
                                                                      "UnhealthyThreshold": 2, "HealthyThreshold": 2})
    u.delete_load_balancer(LoadBalancerName="classic")


def elbv2():
    u = User("elbv2", [arn("elasticloadbalancing", "targetgroup/*")], ["DescribeTargetGroups", "DescribeLoadBalancers"],
             prefix="elasticloadbalancing")
    vpc = ADMIN.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = u.create_target_group(Name="tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip").get("TargetGroups", [{}])
    group = made[0].get("TargetGroupArn", "")
    u.describe_target_groups(TargetGroupArns=[group]) if group else None
    u.describe_load_balancers()
    u.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}])
    u.delete_target_group(TargetGroupArn=group)


def cloudtrail():
    u = User("cloudtrail", [arn("cloudtrail", "trail/audit")], ["DescribeTrails", "ListTrails"])
    u.create_trail(Name="audit", S3BucketName="honest-bucket")
    u.get_trail(Name="audit")
    u.get_trail_status(Name="audit")
    u.start_logging(Name="audit")
    u.describe_trails()
    u.list_trails()
    u.delete_trail(Name="audit")


def autoscaling():
    u = User("autoscaling", [arn("autoscaling", "launchConfiguration:*:launchConfigurationName/lc")],
             ["DescribeLaunchConfigurations", "DescribeAutoScalingGroups"])
    u.create_launch_configuration(LaunchConfigurationName="lc", ImageId="ami-12c6146b", InstanceType="t3.micro")
    u.describe_launch_configurations()
    u.describe_auto_scaling_groups()
    u.delete_launch_configuration(LaunchConfigurationName="lc")


def backup():
    u = User("backup", [arn("backup", "backup-vault:vault")], ["ListBackupVaults", "ListBackupPlans"])
    u.create_backup_vault(BackupVaultName="vault")
    u.describe_backup_vault(BackupVaultName="vault")
    u.list_backup_vaults()
    u.list_backup_plans()


def iot():
    u = User("iot", [arn("iot", "thing/t"), arn("iot", "policy/p"), arn("iot", "thinggroup/g")],
             ["ListThings", "ListPolicies", "DescribeEndpoint"])
    u.create_thing(thingName="t")
    u.describe_thing(thingName="t")
    u.update_thing(thingName="t", attributePayload={"attributes": {"a": "b"}})
    u.list_things()
    u.create_policy(policyName="p", policyDocument="{}")
    u.get_policy(policyName="p")
    u.create_thing_group(thingGroupName="g")
    u.describe_thing_group(thingGroupName="g")
    u.list_policies()
    u.delete_thing(thingName="t")


def apigateway():
    u = User("apigateway", [f"arn:aws:apigateway:{REGION}::/restapis", f"arn:aws:apigateway:{REGION}::/restapis/*"])
    api = {"restApiId": text(u.create_rest_api(name="api")["id"])}
    u.get_rest_api(**api)
    u.get_rest_apis()
    root = u.get_resources(**api).get("items", [{}])[0].get("id", "")
    resource = text(u.create_resource(**api, parentId=root, pathPart="x")["id"])
    u.put_method(**api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    u.get_method(**api, resourceId=resource, httpMethod="GET")
    u.delete_resource(**api, resourceId=resource)
    u.delete_rest_api(**api)


def opensearch():
    u = User("opensearch", [arn("es", "domain/search")], ["ListDomainNames"], prefix="es")
    u.create_domain(DomainName="search")
    u.describe_domain(DomainName="search")
    u.list_domain_names()
    u.delete_domain(DomainName="search")


def efs():
    u = User("efs", [arn("elasticfilesystem", "file-system/*")], ["CreateFileSystem", "DescribeFileSystems"],
             prefix="elasticfilesystem")
    system = text(u.create_file_system(CreationToken="t")["FileSystemId"])
    u.describe_file_systems(FileSystemId=system)
    u.describe_lifecycle_configuration(FileSystemId=system)
    u.delete_file_system(FileSystemId=system)


def more():
    u = User("codecommit", [arn("codecommit", "repo")], ["ListRepositories"])
    u.create_repository(repositoryName="repo")
    u.get_repository(repositoryName="repo")
    u.delete_repository(repositoryName="repo")
    u = User("swf", [], ["ListDomains"])
    u.list_domains(registrationStatus="REGISTERED")
    u = User("batch", [], ["DescribeComputeEnvironments", "DescribeJobQueues"])
    u.describe_compute_environments()
    u.describe_job_queues()
    u = User("organizations", [], ["ListAccounts", "DescribeOrganization", "CreateOrganization", "ListRoots"])
    u.create_organization(FeatureSet="ALL")
    u.describe_organization()
    u.list_accounts()
    u = User("elasticache", [arn("elasticache", f"{kind}:*") for kind in ("cluster", "parametergroup", "subnetgroup", "securitygroup",
                                                                             "replicationgroup", "snapshot", "user", "usergroup")],
             ["DescribeCacheClusters"])
    u.describe_cache_clusters()
    u = User("resourcegroupstaggingapi", [], ["GetResources", "GetTagKeys"], prefix="tag")
    u.get_resources()
    u.get_tag_keys()
    u = User("xray", [], ["PutTraceSegments", "GetTraceSummaries"])
    u.put_trace_segments(TraceSegmentDocuments=["{}"])
    u = User("guardduty", [f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/*"], ["ListDetectors", "CreateDetector"])
    detector = text(u.create_detector(Enable=True)["DetectorId"])
    u.get_detector(DetectorId=detector)
    u.list_detectors()
    u = User("mq", [], ["ListBrokers"])
    u.list_brokers()
    u = User("redshift", [], ["DescribeClusters"])
    u.describe_clusters()
    u = User("wafv2", [], ["ListWebACLs", "ListIPSets"])
    u.list_web_acls(Scope="REGIONAL")


TRUST = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}
IAM.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **TRUST}))
# The server behind looks for the role itself.
boto3.client("iam", endpoint_url=os.environ["BEHIND"], region_name=REGION).create_role(
    RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **TRUST}))
for work in (dynamodb, s3, sqs, sns, ssm, secretsmanager, kms, kinesis, logs, lambda_, events, states, ecr, ecs, ec2, rds,
             cloudformation, cloudwatch, ses, sesv2, route53, acm, firehose, athena, glue, cognito, elb, elbv2, cloudtrail,
             autoscaling, backup, iot, apigateway, opensearch, efs, more):
    try:
        work()
    except Exception as error:  # the rest is tried all the same
        FAILED.append(f"{work.__name__} ended: {type(error).__name__}: {error}")
print("\n".join(FAILED))
print(f"{sum(COUNTED.values())} calls of {len(COUNTED)} services passed, {len(FAILED)} failed")
sys.exit(bool(FAILED))
