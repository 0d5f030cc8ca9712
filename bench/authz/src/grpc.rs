//! The same over gRPC, in Envoy's own messages.

use envoy_types::ext_authz::v3::CheckResponseExt;
use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse,
};
use tonic::{Request, Response, Status};

use crate::limit::Limit;

/// What answers Envoy's questions.
struct Checks(Limit);

/// The service that answers them.
pub(crate) fn service(limit: Limit) -> AuthorizationServer<impl Authorization> {
    AuthorizationServer::new(Checks(limit))
}

#[tonic::async_trait]
impl Authorization for Checks {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let request = request.into_inner();
        let path = request
            .attributes
            .as_ref()
            .and_then(|attributes| attributes.request.as_ref()?.http.as_ref())
            .map_or("", |http| http.path.as_str());
        let status = match self.0.admits(path).await {
            true => Status::ok(""),
            false => Status::permission_denied("too many streams"),
        };
        Ok(Response::new(CheckResponse::with_status(status)))
    }
}
