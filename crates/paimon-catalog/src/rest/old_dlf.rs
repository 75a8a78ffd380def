//! The options of the DLF metastore before it was a REST catalog, as Alibaba Cloud's Flink took them
//! (alibabacloud.com/help, "Manage Paimon catalogs"): Paimon itself never had them.

use std::collections::BTreeMap;

use url::Url;

use super::options::OptionError;

/// Old key, new key.
const KEYS: [(&str, &str); 5] = [
    ("dlf.catalog.id", "warehouse"),
    ("dlf.catalog.endpoint", "uri"),
    ("dlf.catalog.region", "dlf.region"),
    ("dlf.catalog.accessKeyId", "dlf.access-key-id"),
    ("dlf.catalog.accessKeySecret", "dlf.access-key-secret"),
];

/// Those without which there is no catalog.
const REQUIRED: [(&str, &str); 2] =
    [("dlf.catalog.id", "the catalog's name"), ("dlf.catalog.endpoint", "http://cn-hangzhou-vpc.dlf.aliyuncs.com")];

/// The options of a REST catalog that say the same as these of `'metastore' = 'dlf'`. The `oss://` warehouse goes: tables
/// say where they are.
///
/// # Errors
/// [`OptionError::Missing`]; [`OptionError::Value`] for an endpoint of the older service, which is no REST catalog, and for
/// a warehouse elsewhere.
pub fn to_rest(options: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, OptionError> {
    for (key, example) in REQUIRED {
        if options.get(key).is_none_or(String::is_empty) {
            return Err(OptionError::Missing { key, example });
        }
    }
    if options.get("warehouse").is_some_and(|warehouse| !warehouse.starts_with("oss://")) {
        return Err(OptionError::Value { key: "warehouse", why: "of a DLF catalog is an oss:// URL".to_owned() });
    }
    let mut rest = options.clone();
    rest.remove("warehouse");
    for (old, new) in KEYS {
        if let Some(value) = rest.remove(old) {
            rest.insert(new.to_owned(), value);
        }
    }
    if let Some(endpoint) = rest.get_mut("uri") {
        if !endpoint.contains("://") {
            *endpoint = format!("https://{endpoint}");
        }
        refuse_older_service(endpoint)?;
    }
    rest.insert("metastore".to_owned(), "rest".to_owned());
    rest.insert("token.provider".to_owned(), "dlf".to_owned());
    Ok(rest)
}

/// Hosts of the older service: `dlf.REGION.aliyuncs.com`, `dlf-vpc.REGION.aliyuncs.com`.
fn refuse_older_service(endpoint: &str) -> Result<(), OptionError> {
    let url = Url::parse(endpoint).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let mut labels = host.split('.');
    let (first, region) = (labels.next().unwrap_or_default(), labels.next().unwrap_or("REGION"));
    if !(host.ends_with(".aliyuncs.com") && matches!(first, "dlf" | "dlf-vpc" | "dlf-intranet")) {
        return Ok(());
    }
    Err(OptionError::Value {
        key: "dlf.catalog.endpoint",
        why: format!(
            "is of the older DLF service, which is no REST catalog; write the REST endpoint of the region: http://{region}-vpc.dlf.aliyuncs.com inside a VPC, https://dlfnext.{region}.aliyuncs.com outside"
        ),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::rest::RestOptions;

    fn old(endpoint: &str) -> BTreeMap<String, String> {
        [
            ("metastore", "dlf"),
            ("warehouse", "oss://bucket/wh"),
            ("dlf.catalog.id", "sales"),
            ("dlf.catalog.endpoint", endpoint),
            ("dlf.catalog.region", "cn-hangzhou"),
            ("dlf.catalog.accessKeyId", "i"),
            ("dlf.catalog.accessKeySecret", "s"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn old_keys_become_new_ones() {
        let rest = to_rest(&old("cn-hangzhou-vpc.dlf.aliyuncs.com")).unwrap();
        let expected = [
            ("dlf.access-key-id", "i"),
            ("dlf.access-key-secret", "s"),
            ("dlf.region", "cn-hangzhou"),
            ("metastore", "rest"),
            ("token.provider", "dlf"),
            ("uri", "https://cn-hangzhou-vpc.dlf.aliyuncs.com"),
            ("warehouse", "sales"),
        ];
        assert_eq!(rest.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
        assert!(RestOptions::try_from_map(&rest).is_ok());
    }

    #[test]
    fn an_endpoint_that_is_no_rest_catalog_is_refused_with_the_one_that_is() {
        for endpoint in ["dlf-vpc.cn-hangzhou.aliyuncs.com", "https://dlf.cn-hangzhou.aliyuncs.com"] {
            let error = to_rest(&old(endpoint)).unwrap_err().to_string();
            assert!(error.contains("http://cn-hangzhou-vpc.dlf.aliyuncs.com"), "{error}");
        }
        for endpoint in ["https://dlfnext.cn-hangzhou.aliyuncs.com", "http://localhost:1"] {
            assert!(to_rest(&old(endpoint)).is_ok(), "{endpoint}");
        }
    }

    #[test]
    fn what_is_missing_or_elsewhere_is_named() {
        for key in ["dlf.catalog.id", "dlf.catalog.endpoint"] {
            let mut options = old("http://localhost:1");
            options.remove(key);
            assert!(to_rest(&options).unwrap_err().to_string().contains(key));
        }
        let mut options = old("http://localhost:1");
        options.insert("warehouse".to_owned(), "s3://b".to_owned());
        assert!(to_rest(&options).unwrap_err().to_string().contains("oss://"));
    }
}
