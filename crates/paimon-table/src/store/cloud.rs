//! `gs://` and `az://`, if they are built in: `object_store`'s own clients, with what the environment gives them. They are
//! not tested against the services; the probe at a job's start tells whether creates are conditional.

use std::sync::Arc;

use object_store::ObjectStore;
#[cfg(feature = "az")]
use object_store::azure::MicrosoftAzureBuilder;
#[cfg(feature = "gs")]
use object_store::gcp::GoogleCloudStorageBuilder;

#[cfg(any(feature = "az", feature = "gs"))]
use super::s3::{client_options, retry};

/// Opens a bucket (`az`: a container); no I/O.
///
/// # Errors
/// What the environment does not say, or that the scheme is not built in.
pub(super) fn open(scheme: &str, bucket: &str) -> Result<Arc<dyn ObjectStore>, String> {
    match scheme {
        #[cfg(feature = "gs")]
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            let built = builder.with_retry(retry()).with_client_options(client_options()).build();
            Ok(Arc::new(built.map_err(|error| error.to_string())?))
        }
        #[cfg(feature = "az")]
        "az" => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            let built = builder.with_retry(retry()).with_client_options(client_options()).build();
            Ok(Arc::new(built.map_err(|error| error.to_string())?))
        }
        _ => Err(format!("this build cannot reach bucket '{bucket}': build tributary with `--features {scheme}`")),
    }
}
