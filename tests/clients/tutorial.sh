#!/usr/bin/env bash
# The tutorial of the IAM User Guide with the AWS CLI. Expects what tutorial.py does.
set -euo pipefail

vmfa=$VMFA_BIN
export AWS_DEFAULT_REGION=eu-central-1 AWS_PAGER=''

# The call has to fail, and to say this.
refused() {
  local words=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "expected a refusal of: $*" >&2
    exit 1
  fi
  case $said in
    *"$words"*) ;;
    *) printf 'expected %s\ngot %s\n' "$words" "$said" >&2; exit 1 ;;
  esac
}

pair() { "$vmfa" pair MFAUser --clock "$AWS_ENDPOINT_URL"; }

policy=$(aws iam create-policy --policy-name Force_MFA --policy-document "file://$FORCE_MFA" --query Policy.Arn --output text)
aws iam create-group --group-name EC2MFA >/dev/null
aws iam attach-group-policy --group-name EC2MFA --policy-arn arn:aws:iam::aws:policy/AmazonEC2FullAccess
aws iam attach-group-policy --group-name EC2MFA --policy-arn "$policy"
aws iam create-user --user-name MFAUser >/dev/null
aws iam add-user-to-group --group-name EC2MFA --user-name MFAUser
read -r user_id user_secret < <(aws iam create-access-key --user-name MFAUser \
  --query '[AccessKey.AccessKeyId,AccessKey.SecretAccessKey]' --output text)
admin_id=$AWS_ACCESS_KEY_ID admin_secret=$AWS_SECRET_ACCESS_KEY
as_user() { AWS_ACCESS_KEY_ID=$user_id AWS_SECRET_ACCESS_KEY=$user_secret "$@"; }
as_admin() { AWS_ACCESS_KEY_ID=$admin_id AWS_SECRET_ACCESS_KEY=$admin_secret "$@"; }
serial=arn:aws:iam::123456789012:mfa/MFAUser

refused UnauthorizedOperation as_user aws ec2 describe-instances
refused AccessDenied as_user aws s3api list-buckets

# The cancelled wizard, and its orphan
as_user aws iam create-virtual-mfa-device --virtual-mfa-device-name MFAUser \
  --bootstrap-method Base32StringSeed --outfile "$SCRATCH/seed" >/dev/null
[ "$(wc -c <"$SCRATCH/seed")" = 64 ]
[ "$(stat -c %a "$SCRATCH/seed")" = 600 ]
refused 'MFA device already exists.' as_user aws iam create-virtual-mfa-device --virtual-mfa-device-name MFAUser \
  --bootstrap-method QRCodePNG --outfile "$SCRATCH/qr.png"
refused 'not authorized to perform: iam:DeleteVirtualMFADevice' \
  as_user aws iam delete-virtual-mfa-device --serial-number "$serial"
as_admin aws iam delete-virtual-mfa-device --serial-number "$serial"

as_user aws iam create-virtual-mfa-device --virtual-mfa-device-name MFAUser \
  --bootstrap-method QRCodePNG --outfile "$SCRATCH/qr.png" >/dev/null
"$vmfa" add MFAUser "$SCRATCH/qr.png" --no-code >/dev/null
read -r one two < <(pair | paste -sd' ')
as_user aws iam enable-mfa-device --user-name MFAUser --serial-number "$serial" \
  --authentication-code1 "$one" --authentication-code2 "$two"
[ "$(as_user aws iam list-mfa-devices --query 'MFADevices[].SerialNumber' --output text)" = "$serial" ]

"$vmfa" serve time +10s >/dev/null
code=$("$vmfa" code MFAUser --fresh --clock "$AWS_ENDPOINT_URL")
read -r id secret token < <(as_user aws sts get-session-token --serial-number "$serial" --token-code "$code" \
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
with_mfa() { AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token "$@"; }
[ "$(with_mfa aws ec2 describe-instances --query 'length(Reservations)')" = 0 ]
refused AccessDenied with_mfa aws s3api list-buckets
refused 'invalid MFA one time pass code' as_user aws sts get-session-token --serial-number "$serial" --token-code "$code"

"$vmfa" drift MFAUser --set +900 >/dev/null
read -r one two < <(pair | paste -sd' ')
as_user aws iam resync-mfa-device --user-name MFAUser --serial-number "$serial" \
  --authentication-code1 "$one" --authentication-code2 "$two"
"$vmfa" serve time +40s >/dev/null
code=$("$vmfa" code MFAUser --fresh --clock "$AWS_ENDPOINT_URL")
as_user aws sts get-session-token --serial-number "$serial" --token-code "$code" >/dev/null
# Each way in which a client is told where to go
endpoint=$AWS_ENDPOINT_URL
unset AWS_ENDPOINT_URL
as_admin env AWS_ENDPOINT_URL_IAM="$endpoint" \
  aws iam get-account-summary --query SummaryMap.MFADevicesInUse --output text | grep -qx 1
as_user env AWS_ENDPOINT_URL_STS="$endpoint" aws sts get-caller-identity --query Arn --output text | grep -q user/MFAUser
as_user aws sts get-caller-identity --endpoint-url "$endpoint" --query Account --output text | grep -qx 123456789012
echo "the tutorial ends well"
