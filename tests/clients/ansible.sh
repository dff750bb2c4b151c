#!/usr/bin/env bash
# The playbook beside it, with the modules for AWS as they are released.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
export AWS_REGION=eu-central-1 ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1 ANSIBLE_HOME=$SCRATCH/ansible
export ANSIBLE_COLLECTIONS_PATH=$here/../../target/ansible
ansible-playbook -i localhost, -c local -e ansible_python_interpreter="$(command -v python3)" "$here/ansible.yml"
echo "the tutorial ends well"
