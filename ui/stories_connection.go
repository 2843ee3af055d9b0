package ui

import "time"

// connectionStories shows one connection in every status and health.
func connectionStories() []Story {
	var out []Story
	names := []string{"active", "needs-reauth", "failing", "expiring-soon", "unverified", "disabled", "revoked"}
	for i, r := range storyRows() {
		out = append(out, Story{"console-connection-" + names[i], connectionStory(r)})
	}
	row := storyRows()[0]
	return append(out,
		Story{"console-disconnect", DisconnectPage{Console: storyConsole(), Row: row, Revokes: true}},
		Story{"console-disconnect-wrong", DisconnectPage{Console: storyConsole(), Row: row, RevokeURL: "https://docs.example/revoke", Wrong: true}},
	)
}

func connectionStory(r ConnectionRow) ConnectionPage {
	p := ConnectionPage{
		Console: storyConsole(), Row: r, Version: 12, MethodLabel: "Sign in at " + r.Tile.Name, App: "Production",
		Subject: "2241", Email: "ana@acme.example", IdentityName: "Ana Ruiz",
		Requested: []string{"read", "write", "webhooks:write"}, Granted: []string{"read", "write"},
		Inputs: []Fact{{"Subdomain", "acme"}}, CanRefresh: true, CanTest: true,
		RefreshAt: storyTime.Add(18 * time.Second), LastTestAt: storyTime.Add(-50 * time.Hour), UpdatedAt: r.CreatedAt,
		Curl:     "curl -H \"Authorization: Bearer $DOWEL_API_KEY\" \\\n  http://127.0.0.1:8080/api/v1/connections/" + r.ID + "/token",
		Timeline: storyEvents(), MoreURL: "/console/events?subject=" + r.ID,
	}
	switch {
	case r.Kind != "oauth2_authorization_code":
		p.Requested, p.Granted, p.RefreshAt, p.CanRefresh, p.App = nil, nil, time.Time{}, false, ""
		p.Subject, p.Email, p.IdentityName, p.Timeline, p.MoreURL = "", "", "", storyEvents()[7:], ""
		p.MethodLabel, p.LastTestAt, p.CanTest = "", time.Time{}, r.Kind == "bearer"
	case r.Status != "active":
		p.RefreshAt = time.Time{}
		p.LastTestError = "Slack says the token is not valid (200 invalid_auth)"
	}
	return p
}

func keyStories() []Story {
	c := storyConsole()
	scopes := []string{
		"connectors:read", "connectors:write", "connections:read", "connections:write", "token:read", "apps:read", "apps:write",
		"connect_sessions:write", "events:read", "api_keys:read", "api_keys:write",
	}
	page := APIKeysPage{Console: c, Scopes: scopes, Chosen: []string{"token:read"}, Expires: "90", Keys: []APIKeyRow{
		{ID: "key_1", Name: "Billing worker", Prefix: "dwl_8Q2F", Scopes: []string{"token:read"}, LastUsedAt: storyTime.Add(-2 * time.Minute)},
		{ID: "key_2", Name: "Back end", Prefix: "dwl_M4XZ", Scopes: []string{"connections:read", "connect_sessions:write", "token:read"}, LastUsedAt: storyTime.Add(-26 * time.Hour), ExpiresAt: storyTime.Add(900 * time.Hour)},
		{ID: "key_3", Name: "Old laptop", Prefix: "dwl_0P9A", Scopes: []string{"events:read"}, RevokedAt: storyTime.Add(-200 * time.Hour)},
	}}
	wrong := page
	wrong.Keys, wrong.Chosen = nil, nil
	wrong.Errors = map[string]string{"name": "Name is required", "scope": "Choose at least one scope"}
	return []Story{
		{"console-keys", page},
		{"console-keys-errors", wrong},
		{"console-key-created", APIKeyCreatedPage{Console: c, Name: "Billing worker", Key: "dwl_8Q2F-shown-once-in-this-story", Scopes: []string{"token:read"}, ExpiresAt: storyTime.Add(90 * 24 * time.Hour)}},
	}
}
