package audit

// Kind names what happened. Kinds are stable: other programs depend on them.
type Kind string

// The kinds of events. schemas/event.schema.json describes each with its data.
const (
	ConnectionCreated     Kind = "connection.created"
	ConnectionReconnected Kind = "connection.reconnected"
	ConnectionUpdated     Kind = "connection.updated"
	ConnectionNeedsReauth Kind = "connection.needs_reauth"
	ConnectionDisabled    Kind = "connection.disabled"
	ConnectionEnabled     Kind = "connection.enabled"
	ConnectionRevoked     Kind = "connection.revoked"
	ConnectionDeleted     Kind = "connection.deleted"
	ConnectionTested      Kind = "connection.tested"
	CredentialRefreshed   Kind = "credential.refreshed"
	CredentialRefreshFail Kind = "credential.refresh_failed"
	CredentialRevokedAt   Kind = "credential.revoked_at_provider"
	TokenRead             Kind = "token.read"
	FlowStarted           Kind = "flow.started"
	FlowFailed            Kind = "flow.failed"
	CallbackRefused       Kind = "callback.refused"
	ConnectSessionCreated Kind = "connect_session.created"
	APIKeyCreated         Kind = "api_key.created"
	APIKeyRevoked         Kind = "api_key.revoked"
	AppCreated            Kind = "app.created"
	AppUpdated            Kind = "app.updated"
	AppDeleted            Kind = "app.deleted"
	AppRefused            Kind = "app.refused"
	ConnectorPublished    Kind = "connector.published"
	ConnectorWithdrawn    Kind = "connector.withdrawn"
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		ConnectionCreated, ConnectionReconnected, ConnectionUpdated, ConnectionNeedsReauth, ConnectionDisabled,
		ConnectionEnabled, ConnectionRevoked, ConnectionDeleted, ConnectionTested, CredentialRefreshed,
		CredentialRefreshFail, CredentialRevokedAt, TokenRead, FlowStarted, FlowFailed, CallbackRefused,
		ConnectSessionCreated, APIKeyCreated, APIKeyRevoked, AppCreated, AppUpdated, AppDeleted, AppRefused,
		ConnectorPublished, ConnectorWithdrawn,
	}
}
