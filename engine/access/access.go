// Package access says who is calling and what they may do. How they proved it is identity's affair;
// whether this call may happen is asked in the service, once, for both doors.
package access

import "slices"

// PrincipalKind is the kind of an authenticated caller.
type PrincipalKind string

// The kinds of principals.
const (
	Operator PrincipalKind = "operator" // a person using the console
	EndUser  PrincipalKind = "end_user" // the person connecting an account; may complete one connect session
	Workload PrincipalKind = "workload" // a program with an API key
)

// Action is something a principal may be allowed to do. API keys carry actions as their scopes.
type Action string

// The actions, in the spelling API keys use.
const (
	ReadConnectors       Action = "connectors:read"
	WriteConnectors      Action = "connectors:write"
	ReadConnections      Action = "connections:read"
	WriteConnections     Action = "connections:write"
	ReadTokens           Action = "token:read"
	WriteApps            Action = "apps:write"
	ReadApps             Action = "apps:read"
	CreateConnectSession Action = "connect_sessions:write"
	ReadEvents           Action = "events:read"
	WriteAPIKeys         Action = "api_keys:write"
	ReadAPIKeys          Action = "api_keys:read"
	Connect              Action = "connect" // run the one flow a connect session allows
)

// Actions lists every action an API key can be given.
func Actions() []Action {
	return []Action{
		ReadConnectors, WriteConnectors, ReadConnections, WriteConnections, ReadTokens, ReadApps, WriteApps,
		CreateConnectSession, ReadEvents, ReadAPIKeys, WriteAPIKeys,
	}
}

// Principal is an authenticated caller within one tenant. The tenant always comes from here, never
// from a request.
type Principal struct {
	Kind   PrincipalKind
	Tenant string
	ID     string // of the operator, API key or connect session
	// Actions is what this principal may do; an operator may do everything in its tenant.
	Actions []Action
	// EndUser is the tenant's own name for the person this principal acts for; only for EndUser.
	EndUser string
}

// May reports whether p may do a.
func (p Principal) May(a Action) bool {
	switch p.Kind {
	case Operator:
		return true
	case Workload, EndUser:
		return slices.Contains(p.Actions, a)
	default:
		return false
	}
}
