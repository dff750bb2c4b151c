//! What results about several resources call them all together: the template of the action's resources.
//!
//! Known for objects and buckets of S3. For other actions the name is left out, as AWS does for some.

/// The name for an action.
pub(super) fn of(action: &str) -> Option<&'static str> {
    let action = action.to_ascii_lowercase();
    let name = action.strip_prefix("s3:")?;
    if name.contains("object") && !name.contains("bucket") {
        Some("arn:aws:s3:::${BucketName}/${KeyName}")
    } else if name.contains("bucket") && name != "listallmybuckets" {
        Some("arn:aws:s3:::${BucketName}")
    } else {
        None
    }
}
