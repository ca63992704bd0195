//! Requests that travel in one message: all are sent before the first answer is waited for.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, RowStream};

use crate::store::row::Value;

/// What the server answers.
pub enum ServerAnswer {
    Done,
    Rows(Pin<Box<RowStream>>),
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub enum Parameter {
    /// Its type is left to the server, which infers it from the statement.
    One(Value),
    /// Arrays, for a statement about many rows.
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

type Sent<'c> = Pin<Box<dyn Future<Output = Result<ServerAnswer, Error>> + 'c>>;

/// The requests of a message, and the answers that have come.
#[derive(Default)]
pub struct Pipeline<'c> {
    requests: VecDeque<InFlight<'c>>,
}

enum InFlight<'c> {
    Sent(Sent<'c>),
    Answered(Result<ServerAnswer, Error>),
}

impl<'c> Pipeline<'c> {
    /// Adds statements without values and without a result.
    pub fn add_batch(&mut self, client: &'c Client, text: String) {
        self.add(async move { client.batch_execute(&text).await.map(|()| ServerAnswer::Done) });
    }

    /// Adds a statement whose result, if it has one, nobody reads.
    pub fn add_execute(&mut self, client: &'c Client, sql: String, values: Vec<Parameter>) {
        self.add(async move {
            client.execute_typed(&sql, &typed(&values)).await.map(|_| ServerAnswer::Done)
        });
    }

    pub fn add_query(&mut self, client: &'c Client, sql: String, values: Vec<Parameter>) {
        self.add(async move {
            let rows = client.query_typed_raw(&sql, typed(&values)).await?;
            Ok(ServerAnswer::Rows(Box::pin(rows)))
        });
    }

    fn add(&mut self, request: impl Future<Output = Result<ServerAnswer, Error>> + 'c) {
        self.requests.push_back(InFlight::Sent(Box::pin(request)));
    }

    /// Sends all requests in their order. A request is sent when it is polled for the first time.
    pub fn send(&mut self, context: &mut Context<'_>) {
        for request in &mut self.requests {
            if let InFlight::Sent(sent) = request
                && let Poll::Ready(answer) = sent.as_mut().poll(context)
            {
                *request = InFlight::Answered(answer);
            }
        }
    }

    /// Whether a request could not even be sent.
    pub fn has_failed(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, InFlight::Answered(Err(_))))
    }

    /// The answer to the next request; `Done` when there is none.
    pub async fn next(&mut self) -> Result<ServerAnswer, Error> {
        match self.requests.pop_front() {
            Some(InFlight::Sent(sent)) => sent.await,
            Some(InFlight::Answered(answer)) => answer,
            None => Ok(ServerAnswer::Done),
        }
    }
}

fn typed(values: &[Parameter]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values
        .iter()
        .map(|value| match value {
            Parameter::One(value) => (value as &(dyn ToSql + Sync), Type::UNKNOWN),
            Parameter::Ints(list) => (list as &(dyn ToSql + Sync), Type::INT8_ARRAY),
            Parameter::Texts(list) => (list as &(dyn ToSql + Sync), Type::TEXT_ARRAY),
            Parameter::Bytes(list) => (list as &(dyn ToSql + Sync), Type::BYTEA_ARRAY),
        })
        .collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => n.to_sql(&Type::INT8, out),
            Self::Text(s) => s.to_sql(&Type::TEXT, out),
            Self::Bytes(b) => b.to_sql(&Type::BYTEA, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
