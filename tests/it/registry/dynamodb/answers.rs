//! What becomes of answers that DynamoDB doesn't give, or gives instead of doing what was asked.

use super::*;

/// Servers that answer with something else than DynamoDB does, or that throttle without end.
#[test]
fn answers_that_are_odd_are_errors_and_throttling_is_waited_out() {
    type IsRight = fn(&Error) -> bool;
    let answers: &[(u16, &str, IsRight)] = &[
        (200, "", |error| matches!(error, Error::Engine { .. })),
        (200, "[]", |error| matches!(error, Error::Engine { .. })),
        (200, r#"{"Item": 7}"#, |error| matches!(error, Error::Engine { .. })),
        (200, r#"{"Item": {"version": {"N": "x"}}}"#, |error| matches!(error, Error::Damaged { .. })),
        (302, "", |error| matches!(error, Error::Engine { .. })),
        (403, r#"{"__type":"x#AccessDeniedException","message":"no"}"#, |error| matches!(error, Error::Refused { .. })),
        (400, r#"{"__type":"x#ThrottlingException","message":"slow"}"#, |error| matches!(error, Error::Engine { .. })),
        (503, "", |error| matches!(error, Error::Unreachable { .. })),
    ];
    for (status, body, is_right) in answers {
        let way = way("http://127.0.0.1:1");
        let transport = Box::new(Saying(*status, body, AtomicUsize::new(0)));
        let address = address("dynamodb://vmfa");
        let registry = DynamoDb::open(&address, Way { transport, ..way }).with_patience(Duration::from_millis(100));
        let error = registry.list().unwrap_err();
        assert!(is_right(&error), "{status} {body}: {error:?}");
    }
}

/// Two of three requests are refused, of each operation that a claim is made of; nothing is lost or done twice by that.
#[test]
fn a_table_that_is_throttled_is_slow_and_right() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        let (plain, ledger) = with_ledger(&url);
        let address = address(&url);
        let way = way_to(&address);
        let asked = Arc::new(AtomicUsize::new(0));
        let transport = Box::new(Throttling(way.transport, asked.clone()));
        let registry = DynamoDb::open(&address, Way { transport, ..way });
        registry.insert(&[device("b")]).unwrap();
        assert_eq!(claim(&registry, ledger, &[500, 501], 1, 2_000), [500]);
        assert_eq!(claim(&registry, ledger, &[500, 501, 502], 2, 2_000), [501, 502]);
        assert!(registry.release(ledger, Step::new(501), Token::from_value(7)).unwrap());
        assert_eq!(plain.claimed(ledger, Step::new(0), Step::new(600)).unwrap(), [500, 502].map(Step::new));
        assert_eq!(plain.list().unwrap().len(), 2);
        assert!(asked.load(Ordering::Relaxed) > 15);
    }
}

#[derive(Debug)]
struct Throttling(Box<dyn Transport>, Arc<AtomicUsize>);

impl Transport for Throttling {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost> {
        let place = self.1.fetch_add(1, Ordering::Relaxed);
        if place % 3 == 2 {
            return self.0.post(url, headers, body);
        }
        let body =
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
        Ok(Answer { status: 400, date: None, body: body.as_bytes().to_vec().into() })
    }
}

#[derive(Debug)]
struct Saying(u16, &'static str, AtomicUsize);

impl Transport for Saying {
    fn post(&self, _: &str, _: &[(&str, &str)], _: &str) -> Result<Answer, Lost> {
        self.2.fetch_add(1, Ordering::Relaxed);
        Ok(Answer { status: self.0, date: None, body: self.1.as_bytes().to_vec().into() })
    }
}
