package ui

import "time"

// storyRows holds one connection of each status and health.
func storyRows() []ConnectionRow {
	before := func(d time.Duration) time.Time { return storyTime.Add(-d) }
	after := func(d time.Duration) time.Time { return storyTime.Add(d) }
	return []ConnectionRow{
		{
			ID: "conn_zendesk", Name: "Support desk", Connector: "zendesk", Tile: zendesk, EndUser: "ana", Account: "ana@acme.example",
			Kind: "oauth2_authorization_code", Status: "active", Renews: true, ExpiresAt: after(24 * time.Second),
			LastRefreshAt: before(6 * time.Second), LastReadAt: before(2 * time.Minute), CreatedAt: before(50 * time.Hour),
		},
		{
			ID: "conn_slack", Connector: "slack", Tile: slack, EndUser: "ben", Account: "ben@acme.example",
			Kind: "oauth2_authorization_code", Status: "needs_reauth", Reason: "invalid_grant", Renews: true, ExpiresAt: before(time.Hour),
			LastRefreshAt: before(13 * time.Hour), CreatedAt: before(900 * time.Hour),
		},
		{
			ID: "conn_google", Connector: "google", Tile: google, EndUser: "ana", Account: "ana@acme.example",
			Kind: "oauth2_authorization_code", Status: "active", Renews: true, Failures: 3,
			LastError: "Google does not answer as it should (503)", ExpiresAt: after(11 * time.Minute),
			LastRefreshAt: before(49 * time.Minute), CreatedAt: before(400 * time.Hour),
		},
		{
			ID: "conn_xero", Connector: "xero", Tile: xero, EndUser: "carla", Account: "Acme Trading Ltd",
			Kind: "oauth2_authorization_code", Status: "active", ExpiresAt: after(6*24*time.Hour + time.Hour), CreatedAt: before(20 * time.Hour),
		},
		{
			ID: "conn_datadog", Name: "Monitoring", Connector: "datadog", Tile: datadog, EndUser: "ops", Kind: "api_key",
			Status: "active", Unverified: true, CreatedAt: before(3 * time.Hour),
		},
		{
			ID: "conn_stripe", Connector: "stripe", Tile: stripe, EndUser: "carla", Account: "Acme GmbH", Kind: "bearer",
			Status: "disabled", CreatedAt: before(2000 * time.Hour), LastReadAt: before(90 * time.Hour),
		},
		{
			ID: "conn_github", Connector: "github", Tile: github, EndUser: "ben", Account: "ben-acme",
			Kind: "oauth2_authorization_code", Status: "revoked", CreatedAt: before(4000 * time.Hour),
		},
	}
}

func storyEvents() []Event {
	at := func(d time.Duration) time.Time { return storyTime.Add(-d) }
	e := func(id, kind, actor string, d time.Duration, data map[string]string) Event {
		return Event{
			ID: "evt_" + id, Kind: kind, Subject: "conn_zendesk", SubjectURL: "/console/connections/conn_zendesk",
			SubjectName: "Support desk", Actor: actor, At: at(d), Data: data,
		}
	}
	return []Event{
		e("1", "credential.refreshed", "engine", 6*time.Second, map[string]string{"version": "12", "expires_at": "2026-11-21T09:41:24Z"}),
		e("2", "token.read", "workload:key_billing", 2*time.Minute, nil),
		e("3", "credential.refresh_failed", "engine", 4*time.Minute, map[string]string{"error": "Zendesk does not answer as it should (503): “upstream connect error”", "kind": "provider-unavailable"}),
		e("4", "credential.refreshed", "engine", 8*time.Minute, map[string]string{"version": "11"}),
		e("5", "connection.reconnected", "end_user:ana", 50*time.Minute, nil),
		e("6", "connection.needs_reauth", "engine", 55*time.Minute, map[string]string{"error": "the provider refused the refresh token (400 invalid_grant): “The refresh token is <expired>.”", "reason": "invalid_grant"}),
		e("7", "connection.disabled", "operator:ana", 30*time.Hour, nil),
		e("8", "connection.created", "end_user:ana", 50*time.Hour, map[string]string{"connector": "zendesk"}),
	}
}

func consoleStories() []Story {
	c, rows := storyConsole(), storyRows()
	done, failed := storyConsole(), storyConsole()
	done.Notice = &Notice{Code: "disconnected"}
	failed.Notice = &Notice{Code: "failed", Bad: true, Words: "Zendesk does not answer as it should (503)", Reference: "k7q2mzp4ax"}
	return []Story{
		{"console-login", LoginPage{}},
		{"console-login-link", LoginPage{Token: "story-link", CSRF: "csrf-story"}},
		{"console-login-used", LoginPage{Problem: "link-used"}},
		{"console-error", ErrorPage{Console: c, Code: "not-found"}},
		{"console-error-server", ErrorPage{Console: c, Code: "never-heard-of", Reference: "k7q2mzp4ax"}},
		{"console-home", HomePage{
			Console: c, Active: 41, NeedsReauth: 1, Disabled: 1, Revoked: 6, RefreshesOK: 1291, RefreshesFailed: 7, Connectors: 16,
			Attention: []ConnectionRow{rows[1], rows[2]}, Expiring: []ConnectionRow{rows[3]}, Recent: storyEvents()[:6],
		}},
		{"console-home-first", HomePage{Console: c, Connectors: 16}},
		{"console-connections", ConnectionsPage{Console: done, Rows: rows, Connectors: []Option{{"slack", "Slack"}, {"zendesk", "Zendesk"}}, NextURL: "?after=conn_github"}},
		{"console-connections-none", ConnectionsPage{Console: failed, Status: "disabled"}},
		{"console-connections-first", ConnectionsPage{Console: c}},
		{"console-events", EventsPage{Console: c, Kinds: []string{"connection.created", "credential.refreshed"}, Events: storyEvents(), NextURL: "?before=evt_8"}},
		{"console-events-none", EventsPage{Console: c, Kind: "connection.created", Kinds: []string{"connection.created"}}},
	}
}
