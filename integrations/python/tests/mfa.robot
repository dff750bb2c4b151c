*** Settings ***
Library     Process
Library     vmfa.robot

*** Variables ***
${SEED}     GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ

*** Test Cases ***
A Code Is Given Once
    Add Device    mfauser    ${SEED}
    ${one}    Get Code    mfauser    window=1
    ${two}    Get Code    mfauser    window=1
    Should Not Be Equal    ${one.step}    ${two.step}
    Should Match Regexp    ${one}    ^\\d{6}$

A Pair Is Accepted Once
    Add Device    paired    otpauth://totp/x?secret=${SEED}&period=40
    ${pair}    Get Pair    paired
    ${accepted}    Verify Codes    paired    @{pair}
    Should Be True    ${accepted}
    ${again}    Verify Codes    paired    @{pair}
    Should Not Be True    ${again}

A Pool Is A Pattern
    Add Device    ci/1    otpauth://totp/x?secret=${SEED}&period=50
    ${code}    Get Code    ci/*    min_validity=1s
    Should Be Equal    ${code.device}    ci/1
    Remove Device    ci/1
    Run Keyword And Expect Error    NoSuchDevice*    Get Code    ci/*

AWS Is Stood In For
    ${endpoint}    Start Stand-in
    ${device}    Enable Device    administrator
    ${environment}    Get AWS Environment
    Should Be Equal    ${environment}[AWS_ENDPOINT_URL]    ${endpoint}
    ${code}    Get Code    administrator
    ${script}    Catenate    import boto3, sys;
    ...    boto3.client("sts").get_session_token(SerialNumber=sys.argv[1], TokenCode=sys.argv[2])
    &{options}    Evaluate    {f"env:{name}": value for name, value in $environment.items()}
    ${done}    Run Process    %{PYTHON}    -c    ${script}    ${device.serial_number}    ${code}    &{options}
    Should Be Equal As Integers    ${done.rc}    0    ${done.stderr}
    Advance Time    30s
    ${events}    Get Events
    Should Contain    ${events}[-1]    GetSessionToken accepted
    Stop Stand-in
    Run Keyword And Expect Error    UsageError*    Get Events
