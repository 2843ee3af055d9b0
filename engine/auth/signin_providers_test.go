package auth_test

import (
	"net/url"

	"dowel/engine/auth"
)

// How the app authenticates at a token endpoint.
const (
	inHeader = "Basic Y2xpZW50OkNBTkFSWS1zZWNyZXQ="
	inBody   = "client_id=client&client_secret=CANARY-secret"
	inJSON   = `"client_id":"client","client_secret":"CANARY-secret"`
	verifier = "code_verifier="
)

// bearer is the answer of most token endpoints.
const bearer = `{"access_token":"CANARY-access","refresh_token":"CANARY-refresh","token_type":"bearer","expires_in":3600}`

// What most token endpoints answer to a code that is not good.
const invalidGrant = `400 {"error":"invalid_grant","error_description":"The code is not good."}`

func noEmail(id *auth.Identity)    { id.Email, id.EmailVerified = "", false }
func unverified(id *auth.Identity) { id.EmailVerified = false }
func noAvatar(id *auth.Identity)   { id.Avatar = "" }

func signIns() []*signIn {
	return []*signIn{
		{
			row: "V01", connector: "apple", authorize: "https://appleid.apple.com/auth/authorize",
			query:    map[string]string{"scope": "name email", "response_mode": "form_post"},
			callback: url.Values{"user": {`{"name":{"firstName":"Ana","lastName":"Example"},"email":"forged@example.com"}`}},
			token:    "POST https://appleid.apple.com/auth/token", tokenSent: []string{verifier, "client_id=client", "client_secret=eyJ"},
			answer: `{"access_token":"CANARY-access","token_type":"Bearer","expires_in":3600,"refresh_token":"CANARY-refresh","id_token":"@id_token"}`,
			claims: claims{
				"iss": "https://appleid.apple.com", "sub": "001822.b2e2a8f9d2c84c1f9a1c0c6f3ab1c2d3.0855", "email": "abc123@privaterelay.appleid.com",
				"email_verified": "true", "is_private_email": "true", "auth_time": 1, "nonce_supported": true,
			},
			answers: map[string]string{"GET https://appleid.apple.com/auth/keys": theirKeys()},
			id:      "001822.b2e2a8f9d2c84c1f9a1c0c6f3ab1c2d3.0855",
			want: auth.Identity{
				Subject: "001822.b2e2a8f9d2c84c1f9a1c0c6f3ab1c2d3.0855", Email: "abc123@privaterelay.appleid.com", EmailVerified: true, Name: "Ana Example",
			},
			refusal: `400 {"error":"invalid_client"}`, refused: "invalid_client",
			cases: []signInCase{
				{name: "verified as a truth value", claims: claims{"email_verified": true}},
				{name: "not verified, in words", claims: claims{"email_verified": "false"}, want: unverified},
				{name: "nothing said of the address", claims: claims{"email_verified": nil}, want: unverified},
				{name: "the second time, without a name", callback: url.Values{"user": {""}}, want: func(id *auth.Identity) { id.Name = "" }},
				{name: "a name that is none", callback: url.Values{"user": {`{"name":[`}}, want: func(id *auth.Identity) { id.Name = "" }},
				{name: "the first name alone", callback: url.Values{"user": {`{"name":{"firstName":"Ana"}}`}}, want: func(id *auth.Identity) { id.Name = "Ana" }},
				{name: "no e-mail, though the page that came back has one", claims: claims{"email": nil, "email_verified": nil}, want: noEmail},
				{name: "of another issuer", claims: claims{"iss": "https://account.apple.com"}, code: "issuer-mismatch"},
				{name: "of another app", claims: claims{"aud": "other"}, code: "issuer-mismatch"},
				{name: "of another flow", claims: claims{"nonce": "other"}, code: "issuer-mismatch"},
				{name: "not signed", claims: claims{"(alg)": "none"}, code: "issuer-mismatch"},
				{name: "without an ID token", swap: []string{`,"id_token":"@id_token"`, ""}, code: "issuer-mismatch"},
			},
		},
		{
			row: "V02", connector: "discord", authorize: "https://discord.com/api/oauth2/authorize", query: map[string]string{"scope": "identify email"},
			token: "POST https://discord.com/api/oauth2/token", tokenSent: []string{verifier, inHeader}, answer: bearer,
			answers: map[string]string{"GET https://discord.com/api/v10/users/@me": `{"id":"@id","username":"nelly","discriminator":"0","global_name":"Nelly N.","avatar":"8342729096ea3675442027381ff50dfe","verified":true,"email":"nelly@example.com","flags":64,"locale":"en-US"}`},
			headers: map[string]string{"GET https://discord.com/api/v10/users/@me Authorization": "Bearer CANARY-access"},
			id:      "80351110224678912", integer: true,
			want: auth.Identity{
				Subject: "80351110224678912", Email: "nelly@example.com", EmailVerified: true, Name: "Nelly N.", Username: "nelly",
				Avatar: "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "a phone number only", swap: []string{`"email":"nelly@example.com"`, `"email":null`, `"verified":true`, `"verified":false`}, want: noEmail},
				{name: "not verified", swap: []string{`"verified":true`, `"verified":false`}, want: unverified},
				{name: "no display name", swap: []string{`"Nelly N."`, "null"}, want: func(id *auth.Identity) { id.Name = "nelly" }},
				{
					name: "a name with a number", swap: []string{`"Nelly N."`, "null", `"discriminator":"0"`, `"discriminator":"1337"`},
					want: func(id *auth.Identity) { id.Name, id.Username = "nelly#1337", "nelly#1337" },
				},
				{name: "no picture", swap: []string{`"8342729096ea3675442027381ff50dfe"`, "null"}, want: noAvatar},
			},
		},
		{
			row: "V03", connector: "facebook", authorize: "https://www.facebook.com/v25.0/dialog/oauth", query: map[string]string{"scope": "email,public_profile"},
			token: "GET https://graph.facebook.com/v25.0/oauth/access_token", tokenSent: []string{verifier, inBody},
			answer:  `{"access_token":"CANARY-access","token_type":"bearer","expires_in":5183944}`,
			answers: map[string]string{"GET https://graph.facebook.com/v25.0/me": `{"id":"@id","name":"Ana Example","email":"ana@example.com","picture":{"data":{"height":200,"is_silhouette":false,"url":"https://platform-lookaside.fbsbx.com/p?asid=1","width":200}}}`},
			headers: map[string]string{"GET https://graph.facebook.com/v25.0/me Authorization": "Bearer CANARY-access"},
			id:      "10158765432109876", integer: true,
			want: auth.Identity{
				Subject: "10158765432109876", Email: "ana@example.com", Name: "Ana Example", Avatar: "https://platform-lookaside.fbsbx.com/p?asid=1",
			},
			refusal: `400 {"error":{"message":"This authorization code has been used.","type":"OAuthException","code":100,"fbtrace_id":"x"}}`, refused: "100",
			cases: []signInCase{{name: "no e-mail", swap: []string{`"email":"ana@example.com",`, ""}, want: noEmail}},
		},
		{
			row: "V04", connector: "github", authorize: "https://github.com/login/oauth/authorize", query: map[string]string{"scope": "read:user user:email"},
			token: "POST https://github.com/login/oauth/access_token", tokenSent: []string{verifier, inBody},
			answer: `{"access_token":"CANARY-access","scope":"read:user,user:email","token_type":"bearer"}`,
			answers: map[string]string{
				"GET https://api.github.com/user":        `{"login":"octocat","id":"@id","node_id":"MDQ6VXNlcjE=","avatar_url":"https://avatars.example.com/u/1","name":"Mona Octocat","email":"public@example.com"}`,
				"GET https://api.github.com/user/emails": `[{"email":"old@example.com","primary":false,"verified":true},{"email":"mona@example.com","primary":true,"verified":true,"visibility":"private"}]`,
			},
			headers: map[string]string{
				"POST https://github.com/login/oauth/access_token Accept": "application/json", "GET https://api.github.com/user Authorization": "Bearer CANARY-access",
			},
			id: "583231", integer: true,
			want: auth.Identity{
				Subject: "583231", Email: "mona@example.com", EmailVerified: true, Name: "Mona Octocat", Username: "octocat", Avatar: "https://avatars.example.com/u/1",
			},
			refusal: `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`, refused: "bad_verification_code",
			cases: []signInCase{
				{name: "addresses refused", swap: []string{`[{"email":"old@example.com"`, `403 [{"email":"old@example.com"`}, want: noEmail},
				{name: "addresses hidden", swap: []string{`[{"email":"old@example.com"`, `404 [{"email":"old@example.com"`}, want: noEmail},
				{name: "addresses unauthorized", swap: []string{`[{"email":"old@example.com"`, `401 [{"email":"old@example.com"`}, want: noEmail},
				{name: "the primary one not verified", swap: []string{`"primary":true,"verified":true`, `"primary":true,"verified":false`}, want: noEmail},
				{name: "no name", swap: []string{`"Mona Octocat"`, "null"}, want: func(id *auth.Identity) { id.Name = "octocat" }},
			},
		},
		{
			row: "V05", connector: "gitlab", server: "https://gitlab.com", authorize: "https://gitlab.com/oauth/authorize", query: map[string]string{"scope": "read_user"},
			token: "POST https://gitlab.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{
				"GET https://gitlab.com/api/v4/user":      `{"id":"@id","username":"ana","email":"ana@example.com","name":"Ana Example","state":"active","avatar_url":"https://gitlab.com/a.jpg","confirmed_at":"2012-05-23T09:05:22.193Z","bot":false}`,
				"GET https://git.example.com/api/v4/user": `{"id":"@id","username":"ana","email":"ana@example.com","name":"Ana Example","state":"active","avatar_url":"https://gitlab.com/a.jpg","confirmed_at":"2012-05-23T09:05:22.193Z"}`,
			},
			id: "12345", integer: true,
			want:    auth.Identity{Subject: "https://gitlab.com#12345", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana", Avatar: "https://gitlab.com/a.jpg"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "never confirmed", swap: []string{`"2012-05-23T09:05:22.193Z"`, "null"}, want: unverified},
				{name: "confirmed at a time that is none", swap: []string{`"2012-05-23T09:05:22.193Z"`, `""`}, want: unverified},
				{name: "no e-mail", swap: []string{`"ana@example.com"`, "null", `"2012-05-23T09:05:22.193Z"`, "null"}, want: noEmail},
			},
		},
		{
			row: "V05", connector: "gitlab", inputs: map[string]string{"base_url": "https://git.example.com"}, server: "https://git.example.com",
			authorize: "https://git.example.com/oauth/authorize", query: map[string]string{"scope": "read_user"},
			token: "POST https://git.example.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://git.example.com/api/v4/user": `{"id":"@id","username":"ana","email":"ana@example.com","name":"Ana Example","avatar_url":null,"confirmed_at":"2012-05-23T09:05:22Z"}`},
			id:      "12345", integer: true,
			want:    auth.Identity{Subject: "https://git.example.com#12345", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana"},
			refusal: invalidGrant, refused: "invalid_grant",
		},
		{
			row: "V06", connector: "google", authorize: "https://accounts.google.com/o/oauth2/v2/auth",
			query: map[string]string{"scope": "openid email profile", "access_type": "offline", "prompt": "consent"},
			token: "POST https://oauth2.googleapis.com/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://openidconnect.googleapis.com/v1/userinfo": `{"sub":"@id","name":"Ana Example","given_name":"Ana","picture":"https://lh3.googleusercontent.com/a/x=s96-c","email":"ana@example.com","email_verified":true,"hd":"example.com"}`},
			id:      "110169484474386276334", integer: true,
			want: auth.Identity{
				Subject: "110169484474386276334", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Avatar: "https://lh3.googleusercontent.com/a/x=s96-c",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not verified", swap: []string{`"email_verified":true`, `"email_verified":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`"email":"ana@example.com","email_verified":true,`, ""}, want: noEmail},
			},
		},
		{
			row: "V07", connector: "instagram", authorize: "https://www.instagram.com/oauth/authorize", query: map[string]string{"scope": "instagram_business_basic"},
			token: "POST https://api.instagram.com/oauth/access_token", tokenSent: []string{verifier, inBody},
			answer: `{"data":[{"access_token":"CANARY-short","user_id":17841400000000001,"permissions":"instagram_business_basic"}]}`,
			answers: map[string]string{
				"GET https://graph.instagram.com/access_token": `{"access_token":"CANARY-access","token_type":"bearer","expires_in":5183944}`,
				"GET https://graph.instagram.com/me":           `{"user_id":"@id","id":"9876","username":"ana","name":"Ana Example","account_type":"BUSINESS","profile_picture_url":"https://scontent.example.com/p"}`,
			},
			headers: map[string]string{"GET https://graph.instagram.com/me Authorization": "Bearer CANARY-access"},
			id:      "17841400000000001", integer: true,
			want:    auth.Identity{Subject: "17841400000000001", Name: "Ana Example", Username: "ana", Avatar: "https://scontent.example.com/p"},
			refusal: `400 {"error_type":"OAuthException","code":400,"error_message":"Matching code was not found or was already used"}`, refused: "OAuthException",
			cases: []signInCase{
				{name: "no name", swap: []string{`"name":"Ana Example",`, ""}, want: func(id *auth.Identity) { id.Name = "ana" }},
				{name: "an e-mail that is none of its business", swap: []string{`"username"`, `"email":"ana@example.com","username"`}},
				{name: "a token of the older form", swap: []string{`{"data":[{`, `{`, `"}]}`, `"}`}},
			},
		},
		{
			row: "V08", connector: "kakao", authorize: "https://kauth.kakao.com/oauth/authorize", query: map[string]string{"scope": "account_email profile_image profile_nickname"},
			token: "POST https://kauth.kakao.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://kapi.kakao.com/v2/user/me": `{"id":"@id","properties":{"nickname":"Ana","profile_image":"https://k.kakaocdn.net/p.jpg"},"kakao_account":{"profile":{"nickname":"Ana","profile_image_url":"https://k.kakaocdn.net/p.jpg"},"has_email":true,"is_email_valid":true,"is_email_verified":true,"email":"ana@example.com"}}`},
			id:      "123456789", integer: true,
			want:    auth.Identity{Subject: "123456789", Email: "ana@example.com", EmailVerified: true, Name: "Ana", Avatar: "https://k.kakaocdn.net/p.jpg"},
			refusal: `400 {"error":"invalid_grant","error_description":"authorization code not found","error_code":"KOE320"}`, refused: "KOE320",
			cases: []signInCase{
				{name: "verified once, and taken by somebody else since", swap: []string{`"is_email_valid":true`, `"is_email_valid":false`}, want: unverified},
				{name: "not verified", swap: []string{`"is_email_verified":true`, `"is_email_verified":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`,"is_email_valid":true,"is_email_verified":true,"email":"ana@example.com"`, ""}, want: noEmail},
				{name: "the properties alone", swap: []string{`"profile":{"nickname":"Ana","profile_image_url":"https://k.kakaocdn.net/p.jpg"},`, ""}},
				{name: "no properties", swap: []string{`"properties":{"nickname":"Ana","profile_image":"https://k.kakaocdn.net/p.jpg"},`, ""}},
			},
		},
		{
			row: "V09", connector: "spotify", authorize: "https://accounts.spotify.com/authorize", query: map[string]string{"scope": "user-read-email user-read-private"},
			token: "POST https://accounts.spotify.com/api/token", tokenSent: []string{verifier, inHeader}, answer: bearer,
			answers: map[string]string{"GET https://api.spotify.com/v1/me": `{"id":"@id","display_name":"Ana","email":"ana@example.com","images":[{"url":"https://i.scdn.co/image/1","height":300,"width":300}],"product":"premium","type":"user"}`},
			id:      "smedjan", want: auth.Identity{Subject: "smedjan", Email: "ana@example.com", Name: "Ana", Avatar: "https://i.scdn.co/image/1"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "no e-mail", swap: []string{`"email":"ana@example.com",`, ""}, want: noEmail},
				{name: "no picture", swap: []string{`{"url":"https://i.scdn.co/image/1","height":300,"width":300}`, ""}, want: noAvatar},
			},
		},
		{
			row: "V10", connector: "strava", authorize: "https://www.strava.com/oauth/authorize", query: map[string]string{"scope": "read,profile:read_all", "approval_prompt": "auto"},
			callback: url.Values{"scope": {"read,profile:read_all"}},
			token:    "POST https://www.strava.com/api/v3/oauth/token", tokenSent: []string{verifier, inBody},
			answer:  `{"token_type":"Bearer","expires_at":4102444800,"expires_in":21600,"refresh_token":"CANARY-refresh","access_token":"CANARY-access","athlete":{"id":1}}`,
			answers: map[string]string{"GET https://www.strava.com/api/v3/athlete": `{"id":"@id","username":"marianne_t","firstname":"Marianne","lastname":"V.","profile":"https://dgalywyr863hv.cloudfront.net/large.jpg"}`},
			id:      "1234567890987654321", integer: true,
			want: auth.Identity{
				Subject: "1234567890987654321", Name: "Marianne V.", Username: "marianne_t", Avatar: "https://dgalywyr863hv.cloudfront.net/large.jpg",
			},
			refusal: `400 {"message":"Bad Request","errors":[{"resource":"AuthorizationCode","field":"code","code":"invalid"}]}`, refused: "invalid",
			cases: []signInCase{
				{name: "the athlete that is none", swap: []string{`"@id"`, "0"}, code: "account-rejected"},
				{name: "the first name alone", swap: []string{`"V."`, "null"}, want: func(id *auth.Identity) { id.Name = "Marianne" }},
			},
		},
		{
			row: "V11", connector: "twitch", authorize: "https://id.twitch.tv/oauth2/authorize", query: map[string]string{"scope": "user:read:email"},
			token: "POST https://id.twitch.tv/oauth2/token", tokenSent: []string{verifier, inBody},
			answer:  `{"access_token":"CANARY-access","expires_in":14124,"refresh_token":"CANARY-refresh","scope":["user:read:email"],"token_type":"bearer"}`,
			answers: map[string]string{"GET https://api.twitch.tv/helix/users": `{"data":[{"id":"@id","login":"twitchdev","display_name":"TwitchDev","profile_image_url":"https://static-cdn.jtvnw.net/p.png","email":"dev@example.com"}]}`},
			headers: map[string]string{
				"GET https://api.twitch.tv/helix/users Client-Id": "client", "GET https://api.twitch.tv/helix/users Authorization": "Bearer CANARY-access",
			},
			id: "141981764", integer: true,
			want: auth.Identity{
				Subject: "141981764", Email: "dev@example.com", EmailVerified: true, Name: "TwitchDev", Username: "twitchdev", Avatar: "https://static-cdn.jtvnw.net/p.png",
			},
			refusal: `400 {"status":400,"message":"Invalid authorization code"}`, refused: "",
			cases: []signInCase{
				{name: "nobody", swap: []string{`{"id":"@id","login":"twitchdev","display_name":"TwitchDev","profile_image_url":"https://static-cdn.jtvnw.net/p.png","email":"dev@example.com"}`, ""}, code: "credential-rejected"},
				{name: "no e-mail", swap: []string{`,"email":"dev@example.com"`, ""}, want: noEmail},
			},
		},
		{
			row: "V12", connector: "twitter", authorize: "https://x.com/i/oauth2/authorize", query: map[string]string{"scope": "users.read tweet.read users.email offline.access"},
			token: "POST https://api.x.com/2/oauth2/token", tokenSent: []string{verifier, inHeader},
			answer:  `{"token_type":"bearer","expires_in":7200,"access_token":"CANARY-access","refresh_token":"CANARY-refresh","scope":"users.email users.read tweet.read offline.access"}`,
			answers: map[string]string{"GET https://api.x.com/2/users/me": `{"data":{"id":"@id","name":"Ana Example","username":"ana","profile_image_url":"https://pbs.twimg.com/p.jpg","confirmed_email":"ana@example.com"}}`},
			id:      "2244994945", integer: true,
			want: auth.Identity{
				Subject: "2244994945", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana", Avatar: "https://pbs.twimg.com/p.jpg",
			},
			refusal: `400 {"error":"invalid_request","error_description":"Value passed for the authorization code was invalid."}`, refused: "invalid_request",
			cases: []signInCase{
				{name: "no e-mail", swap: []string{`,"confirmed_email":"ana@example.com"`, ""}, want: noEmail},
				{name: "refused without tweet.read", swap: []string{`{"data":{"id"`, `403 {"data":{"id"`}, code: "credential-rejected"},
			},
		},
		{
			row: "V13", connector: "yandex", authorize: "https://oauth.yandex.com/authorize", query: map[string]string{"scope": "login:email login:info login:avatar"},
			token: "POST https://oauth.yandex.com/token", tokenSent: []string{verifier, inHeader}, answer: bearer,
			answers: map[string]string{"GET https://login.yandex.ru/info": `{"id":"@id","login":"ana","client_id":"client","display_name":"ana","real_name":"Ana Example","default_email":"ana@yandex.ru","emails":["ana@yandex.ru"],"is_avatar_empty":false,"default_avatar_id":"131652443","psuid":"1.AA"}`},
			headers: map[string]string{"GET https://login.yandex.ru/info Authorization": "OAuth CANARY-access"},
			id:      "1000034426", integer: true,
			want: auth.Identity{
				Subject: "1000034426", Email: "ana@yandex.ru", EmailVerified: true, Name: "Ana Example", Username: "ana",
				Avatar: "https://avatars.yandex.net/get-yapic/131652443/islands-200",
			},
			refusal: `400 {"error":"bad_verification_code","error_description":"Invalid code"}`, refused: "bad_verification_code",
			cases: []signInCase{
				{name: "no picture", swap: []string{`"is_avatar_empty":false`, `"is_avatar_empty":true`}, want: noAvatar},
				{name: "no e-mail", swap: []string{`"default_email":"ana@yandex.ru"`, `"default_email":""`}, want: noEmail},
				{name: "no name", swap: []string{`"real_name":"Ana Example"`, `"real_name":""`}, want: func(id *auth.Identity) { id.Name = "ana" }},
			},
		},
		{
			row: "V14", connector: "vk", method: "legacy", authorize: "https://oauth.vk.com/authorize", query: map[string]string{"scope": "email,offline"}, noPKCE: true,
			callback: url.Values{"device_id": {"d"}},
			token:    "POST https://oauth.vk.com/access_token", tokenSent: []string{inBody},
			answer:  `{"access_token":"CANARY-access","expires_in":0,"user_id":210700286,"email":"ana@example.com"}`,
			answers: map[string]string{"GET https://api.vk.com/method/users.get": `{"response":[{"id":"@id","first_name":"Ana","last_name":"Example","screen_name":"ana","photo_max":"https://sun1.userapi.com/p.jpg","can_access_closed":true}]}`},
			id:      "210700286", integer: true,
			want:    auth.Identity{Subject: "210700286", Email: "ana@example.com", Name: "Ana Example", Username: "ana", Avatar: "https://sun1.userapi.com/p.jpg"},
			refusal: `401 {"error":"invalid_grant","error_description":"Code is invalid or expired."}`, refused: "invalid_grant",
			cases: []signInCase{
				{name: "nobody", swap: []string{`{"id":"@id","first_name":"Ana","last_name":"Example","screen_name":"ana","photo_max":"https://sun1.userapi.com/p.jpg","can_access_closed":true}`, ""}, code: "?"},
				{name: "an error with status 200", swap: []string{`{"response":[{"id":"@id","first_name":"Ana","last_name":"Example","screen_name":"ana","photo_max":"https://sun1.userapi.com/p.jpg","can_access_closed":true}]}`, `{"error":{"error_code":15,"error_msg":"Access denied"}}`}, code: "15"},
				{name: "no e-mail", swap: []string{`,"email":"ana@example.com"`, ""}, want: noEmail},
			},
		},
		{
			row: "V15", connector: "bitbucket", authorize: "https://bitbucket.org/site/oauth2/authorize", query: map[string]string{"scope": "account email"}, noPKCE: true,
			token: "POST https://bitbucket.org/site/oauth2/access_token", tokenSent: []string{inHeader},
			answer: `{"access_token":"CANARY-access","scopes":"account email","expires_in":7200,"refresh_token":"CANARY-refresh","token_type":"bearer"}`,
			answers: map[string]string{
				"GET https://api.bitbucket.org/2.0/user":        `{"type":"user","uuid":"@id","username":"ana","nickname":"ana","display_name":"Ana Example","account_status":"active","links":{"avatar":{"href":"https://bitbucket.org/account/ana/avatar/"}}}`,
				"GET https://api.bitbucket.org/2.0/user/emails": `{"values":[{"email":"old@example.com","is_primary":false,"is_confirmed":true},{"email":"ana@example.com","is_primary":true,"is_confirmed":true}],"size":2}`,
			},
			id: "{8b1d6a6c-0c4e-4f0f-9f0e-1a2b3c4d5e6f}",
			want: auth.Identity{
				Subject: "{8b1d6a6c-0c4e-4f0f-9f0e-1a2b3c4d5e6f}", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana",
				Avatar: "https://bitbucket.org/account/ana/avatar/",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not active", swap: []string{`"account_status":"active"`, `"account_status":"inactive"`}, code: "account-rejected"},
				{name: "closed", swap: []string{`"account_status":"active"`, `"account_status":"closed"`}, code: "account-rejected"},
				{name: "addresses refused", swap: []string{`{"values":[`, `403 {"values":[`}, want: noEmail},
				{name: "not confirmed", swap: []string{`"is_primary":true,"is_confirmed":true`, `"is_primary":true,"is_confirmed":false`}, want: noEmail},
			},
		},
		{
			row: "V16", connector: "box", authorize: "https://account.box.com/api/oauth2/authorize", query: map[string]string{"scope": "root_readonly"},
			token: "POST https://api.box.com/oauth2/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://api.box.com/2.0/users/me": `{"type":"user","id":"@id","name":"Ana Example","login":"ana@example.com","status":"active","avatar_url":"https://www.box.com/api/avatar/large/181216415"}`},
			id:      "181216415", integer: true,
			want: auth.Identity{
				Subject: "181216415", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Avatar: "https://www.box.com/api/avatar/large/181216415",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not active", swap: []string{`"status":"active"`, `"status":"inactive"`}, code: "account-rejected"},
				{name: "no e-mail", swap: []string{`"login":"ana@example.com"`, `"login":null`}, want: noEmail},
			},
		},
		{
			row: "V17", connector: "gitea", inputs: map[string]string{"base_url": "https://git.example.com"}, server: "https://git.example.com",
			authorize: "https://git.example.com/login/oauth/authorize", query: map[string]string{"scope": "read:user user:email"},
			token: "POST https://git.example.com/login/oauth/access_token", tokenSent: []string{verifier, inHeader}, answer: bearer,
			answers: map[string]string{
				"GET https://git.example.com/api/v1/user":        `{"id":"@id","login":"ana","full_name":"Ana Example","email":"1+ana@noreply.git.example.com","avatar_url":"https://git.example.com/avatars/1","active":true}`,
				"GET https://git.example.com/api/v1/user/emails": `[{"email":"ana@example.com","verified":true,"primary":true},{"email":"old@example.com","verified":true,"primary":false}]`,
			},
			id: "7", integer: true,
			want:    auth.Identity{Subject: "https://git.example.com#7", Email: "ana@example.com", Name: "Ana Example", Username: "ana", Avatar: "https://git.example.com/avatars/1"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not active", swap: []string{`"active":true`, `"active":false`}, code: "account-rejected"},
				{name: "not verified", swap: []string{`"verified":true,"primary":true`, `"verified":false,"primary":true`}, want: noEmail},
				{name: "addresses refused", swap: []string{`[{"email":"ana@example.com"`, `403 [{"email":"ana@example.com"`}, want: noEmail},
				{name: "no name", swap: []string{`"full_name":"Ana Example"`, `"full_name":""`}, want: func(id *auth.Identity) { id.Name = "ana" }},
			},
		},
		{
			row: "V18", connector: "gitee", authorize: "https://gitee.com/oauth/authorize", query: map[string]string{"scope": "user_info emails"},
			token: "POST https://gitee.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{
				"GET https://gitee.com/api/v5/user":   `{"id":"@id","login":"ana","name":"Ana Example","avatar_url":"https://gitee.com/a.png","email":"whatever@example.com"}`,
				"GET https://gitee.com/api/v5/emails": `[{"email":"new@example.com","state":"unconfirmed","scope":["primary"]},{"email":"ana@example.com","state":"confirmed","scope":["primary","notified"]},{"email":"old@example.com","state":"confirmed","scope":["committed"]}]`,
			},
			id: "3059146", integer: true,
			want:    auth.Identity{Subject: "3059146", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana", Avatar: "https://gitee.com/a.png"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "addresses as an object", swap: []string{`[{"email":"new@example.com"`, `{"message":"no","more":[{"email":"new@example.com"`, `["committed"]}]`, `["committed"]}]}`}, want: noEmail},
				{name: "addresses refused", swap: []string{`[{"email":"new@example.com"`, `403 [{"email":"new@example.com"`}, want: noEmail},
				{name: "none confirmed", swap: []string{`"state":"confirmed"`, `"state":"unconfirmed"`}, want: noEmail},
				{name: "none primary", swap: []string{`["primary","notified"]`, `["notified"]`}, want: noEmail},
			},
		},
		{
			row: "V19", connector: "linear", authorize: "https://linear.app/oauth/authorize", query: map[string]string{"scope": "read", "actor": "user"}, noPKCE: true,
			token: "POST https://api.linear.app/oauth/token", tokenSent: []string{inBody},
			answer:  `{"access_token":"CANARY-access","token_type":"Bearer","expires_in":315705599,"scope":"read"}`,
			answers: map[string]string{"POST https://api.linear.app/graphql": `{"data":{"viewer":{"id":"@id","displayName":"ana","name":"Ana Example","email":"ana@example.com","avatarUrl":"https://public.linear.app/a","active":true}}}`},
			headers: map[string]string{
				"POST https://api.linear.app/graphql Authorization": "Bearer CANARY-access", "POST https://api.linear.app/graphql Content-Type": "application/json",
			},
			id:      "2f6d5f5e-7a5b-4f3c-9b43-0b0f2a1d1f6a",
			want:    auth.Identity{Subject: "2f6d5f5e-7a5b-4f3c-9b43-0b0f2a1d1f6a", Email: "ana@example.com", Name: "Ana Example", Username: "ana", Avatar: "https://public.linear.app/a"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not active", swap: []string{`"active":true`, `"active":false`}, code: "account-rejected"},
				{name: "no e-mail", swap: []string{`"ana@example.com"`, "null"}, want: noEmail},
				{name: "an error with status 200", swap: []string{`{"data":{"viewer":{`, `{"errors":[{"message":"no","extensions":{"code":"AUTHENTICATION_ERROR"}}],"more":{"viewer":{`}, code: "AUTHENTICATION_ERROR"},
			},
		},
		{
			row: "V20", connector: "livechat", authorize: "https://accounts.livechat.com/", query: map[string]string{"scope": ""},
			token: "POST https://accounts.livechat.com/v2/token", tokenSent: []string{verifier, inBody},
			answer:  `{"access_token":"CANARY-access","refresh_token":"CANARY-refresh","token_type":"Bearer","expires_in":28800,"account_id":"b7eff798-f8df-4364-8059-649c35c9ed0c","scope":"accounts--my:ro"}`,
			answers: map[string]string{"GET https://accounts.livechat.com/v2/accounts/me": `{"account_id":"@id","email":"ana@example.com","name":"Ana Example","avatar_url":"https://livechat.s3.amazonaws.com/a.png","email_verified":true}`},
			id:      "b7eff798-f8df-4364-8059-649c35c9ed0c",
			want: auth.Identity{
				Subject: "b7eff798-f8df-4364-8059-649c35c9ed0c", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example",
				Avatar: "https://livechat.s3.amazonaws.com/a.png",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not verified", swap: []string{`"email_verified":true`, `"email_verified":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`"ana@example.com"`, "null", `"email_verified":true`, `"email_verified":false`}, want: noEmail},
			},
		},
		{
			row: "V21", connector: "monday", authorize: "https://auth.monday.com/oauth2/authorize", query: map[string]string{"scope": "me:read", "response_type": ""},
			token: "POST https://auth.monday.com/oauth2/token", tokenSent: []string{verifier, inBody}, answer: `{"access_token":"CANARY-access","token_type":"Bearer","scope":"me:read"}`,
			answers: map[string]string{"POST https://api.monday.com/v2": `{"data":{"me":{"id":"@id","enabled":true,"name":"Ana Example","email":"ana@example.com","is_verified":true,"photo_small":"https://files.monday.com/p.png"}},"account_id":1}`},
			headers: map[string]string{"POST https://api.monday.com/v2 Content-Type": "application/json", "POST https://api.monday.com/v2 Authorization": "Bearer CANARY-access"},
			id:      "4012689", integer: true,
			want:    auth.Identity{Subject: "4012689", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Avatar: "https://files.monday.com/p.png"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not enabled", swap: []string{`"enabled":true`, `"enabled":false`}, code: "account-rejected"},
				{name: "not verified", swap: []string{`"is_verified":true`, `"is_verified":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`"ana@example.com"`, "null", `"is_verified":true`, `"is_verified":null`}, want: noEmail},
				{name: "an error with status 200", swap: []string{`{"data":{"me":{`, `{"error_code":"UserUnauthorizedException","more":{"me":{`}, code: "UserUnauthorizedException"},
			},
		},
		{
			row: "V22", connector: "notion", authorize: "https://api.notion.com/v1/oauth/authorize", query: map[string]string{"scope": "", "owner": "user"},
			token: "POST https://api.notion.com/v1/oauth/token", tokenSent: []string{inHeader, `"code_verifier":`, `"grant_type":"authorization_code"`},
			answer: `{"access_token":"CANARY-access","token_type":"bearer","bot_id":"b0688871-85db-4637-8fc9-043a240c4ec4","workspace_id":"w1","workspace_name":"Acme",
				"owner":{"type":"user","user":{"object":"user","id":"@id","name":"Ana Example","avatar_url":"https://notion.example.com/a.png","type":"person","person":{"email":"ana@example.com"}}}}`,
			answers: map[string]string{"GET https://api.notion.com/v1/users/me": `{"object":"user","id":"b0688871-85db-4637-8fc9-043a240c4ec4","name":"Our app","type":"bot","bot":{"workspace_name":"Acme"}}`},
			headers: map[string]string{
				"GET https://api.notion.com/v1/users/me Notion-Version": "2022-06-28", "POST https://api.notion.com/v1/oauth/token Notion-Version": "2022-06-28",
				"POST https://api.notion.com/v1/oauth/token Content-Type": "application/json",
			},
			id:      "d40e767c-d7af-4b18-a86d-55c61f1e39a4",
			want:    auth.Identity{Subject: "d40e767c-d7af-4b18-a86d-55c61f1e39a4", Email: "ana@example.com", Name: "Ana Example", Avatar: "https://notion.example.com/a.png"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{{name: "no e-mail", swap: []string{`"person":{"email":"ana@example.com"}`, `"person":{}`}, want: noEmail}},
		},
		{
			row: "V23", connector: "patreon", authorize: "https://www.patreon.com/oauth2/authorize", query: map[string]string{"scope": "identity identity[email]"},
			token: "POST https://www.patreon.com/api/oauth2/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://www.patreon.com/api/oauth2/v2/identity": `{"data":{"id":"@id","type":"user","attributes":{"email":"ana@example.com","full_name":"Ana Example","vanity":"ana","image_url":"https://c10.patreon.com/p","is_email_verified":true}},"links":{}}`},
			id:      "12345689", integer: true,
			want:    auth.Identity{Subject: "12345689", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana", Avatar: "https://c10.patreon.com/p"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not verified", swap: []string{`"is_email_verified":true`, `"is_email_verified":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`"email":"ana@example.com",`, "", `,"is_email_verified":true`, ""}, want: noEmail},
			},
		},
		{
			row: "V24", connector: "planning-center", authorize: "https://api.planningcenteronline.com/oauth/authorize", query: map[string]string{"scope": "people"},
			token: "POST https://api.planningcenteronline.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://api.planningcenteronline.com/people/v2/me": `{"data":{"type":"Person","id":"@id","attributes":{"name":"Ana Example","avatar":"https://avatars.planningcenteronline.com/a.png","status":"active","primary_email":"ana@example.com"}}}`},
			id:      "1234567", integer: true,
			want:    auth.Identity{Subject: "1234567", Name: "Ana Example", Avatar: "https://avatars.planningcenteronline.com/a.png"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{{name: "not active", swap: []string{`"status":"active"`, `"status":"inactive"`}, code: "account-rejected"}},
		},
		{
			row: "V25", connector: "wakatime", authorize: "https://wakatime.com/oauth/authorize", query: map[string]string{"scope": "email,read_summaries"},
			token: "POST https://wakatime.com/oauth/token", tokenSent: []string{verifier, inBody},
			answer:  `{"access_token":"CANARY-access","refresh_token":"CANARY-refresh","uid":"x","token_type":"bearer","expires_at":"2099-01-01T00:00:00Z","scope":"email,read_summaries"}`,
			answers: map[string]string{"GET https://wakatime.com/api/v1/users/current": `{"data":{"id":"@id","display_name":"Ana Example","full_name":"Ana Example","username":"ana","email":"ana@example.com","is_email_confirmed":true,"photo":"https://wakatime.com/photo/1","photo_public":true}}`},
			headers: map[string]string{"POST https://wakatime.com/oauth/token Accept": "application/json"},
			id:      "5b1b7b8a-4f3a-4a4e-bb9e-7a0c4d1e2f3a",
			want: auth.Identity{
				Subject: "5b1b7b8a-4f3a-4a4e-bb9e-7a0c4d1e2f3a", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana",
				Avatar: "https://wakatime.com/photo/1",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not confirmed", swap: []string{`"is_email_confirmed":true`, `"is_email_confirmed":false`}, want: unverified},
				{name: "no e-mail", swap: []string{`"ana@example.com"`, "null", `"is_email_confirmed":true`, `"is_email_confirmed":false`}, want: noEmail},
				{name: "a picture for friends", swap: []string{`"photo_public":true`, `"photo_public":false`}, want: noAvatar},
				{
					name: "the token in a form", swap: []string{
						`{"access_token":"CANARY-access","refresh_token":"CANARY-refresh","uid":"x","token_type":"bearer","expires_at":"2099-01-01T00:00:00Z","scope":"email,read_summaries"}`,
						`access_token=CANARY-access&refresh_token=CANARY-refresh&uid=x&token_type=bearer&expires_at=2099-01-01T00%3A00%3A00Z&scope=email%2Cread_summaries`,
					},
				},
			},
		},
		{
			row: "V26", connector: "mailcow", server: "https://mail.example.com", inputs: map[string]string{"base_url": "https://mail.example.com"},
			authorize: "https://mail.example.com/oauth/authorize", query: map[string]string{"scope": "profile"},
			token: "POST https://mail.example.com/oauth/token", tokenSent: []string{verifier, inBody}, answer: bearer,
			answers: map[string]string{"GET https://mail.example.com/oauth/profile": `{"success":true,"username":"ana@example.com","id":"@id","identifier":"@id","email":"ana@example.com","full_name":"Ana Example","displayName":"Ana Example","created":"2020-05-15 11:33:08","modified":"2020-05-15 12:23:31","active":1}`},
			id:      "ana@example.com",
			want:    auth.Identity{Subject: "https://mail.example.com#ana@example.com", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana"},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "not active", swap: []string{`"active":1`, `"active":0`}, code: "account-rejected"},
				{name: "nothing said of being active", swap: []string{`,"active":1`, ""}, code: "account-rejected"},
				{name: "an error with status 200", swap: []string{`{"success":true`, `{"success":false`}, code: "credential-rejected"},
				{name: "no e-mail", swap: []string{`"email":"ana@example.com",`, ""}, want: func(id *auth.Identity) { noEmail(id); id.Username = "" }},
			},
		},
		{
			row: "V27", connector: "oidc", server: "https://id.example.com/realms/a", inputs: map[string]string{"issuer": "https://id.example.com/realms/a"},
			authorize: "https://login.example.com/authorize", query: map[string]string{"scope": "openid email profile"},
			token: "POST https://login.example.com/token", tokenSent: []string{verifier, inHeader},
			answer: `{"access_token":"CANARY-access","token_type":"Bearer","expires_in":300,"id_token":"@id_token"}`,
			claims: claims{
				"iss": "https://id.example.com/realms/a", "sub": "248289761001", "email": "ana@example.com", "email_verified": true,
				"name": "Ana Example", "preferred_username": "ana", "picture": "https://id.example.com/a.png",
			},
			answers: map[string]string{
				"GET https://id.example.com/realms/a/.well-known/openid-configuration": metadata("https://id.example.com/realms/a",
					"jwks_uri", "https://id.example.com/keys", "userinfo_endpoint", "https://api.example.com/userinfo"),
				"GET https://id.example.com/keys":      theirKeys(),
				"GET https://api.example.com/userinfo": `{"sub":"@id","email":"second@example.com","email_verified":"true","name":"Second","preferred_username":"second","picture":"https://id.example.com/b.png"}`,
			},
			headers: map[string]string{"GET https://api.example.com/userinfo Authorization": "Bearer CANARY-access"},
			id:      "248289761001", integer: true,
			want: auth.Identity{
				Subject: "https://id.example.com/realms/a#248289761001", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "ana",
				Avatar: "https://id.example.com/a.png",
			},
			refusal: invalidGrant, refused: "invalid_grant",
			cases: []signInCase{
				{name: "verified in words", claims: claims{"email_verified": "true"}},
				{name: "not verified", claims: claims{"email_verified": false}, want: unverified},
				{name: "nothing said of it, and userinfo speaks of another address", claims: claims{"email_verified": nil}, want: unverified},
				{
					name: "only userinfo tells", claims: claims{"email": nil, "email_verified": nil, "name": nil, "preferred_username": nil, "picture": nil},
					want: func(id *auth.Identity) {
						id.Email, id.Name, id.Username, id.Avatar = "second@example.com", "Second", "second", "https://id.example.com/b.png"
					},
				},
				{
					name: "only userinfo tells, and nobody verified", swap: []string{`"email_verified":"true"`, `"email_verified":false`}, claims: claims{"email": nil},
					want: func(id *auth.Identity) { id.Email, id.EmailVerified = "second@example.com", false },
				},
				{name: "no userinfo endpoint", swap: []string{`"https://api.example.com/userinfo"`, `""`}},
				{name: "no e-mail", swap: []string{`"https://api.example.com/userinfo"`, `""`}, claims: claims{"email": nil, "email_verified": nil}, want: noEmail},
				{name: "userinfo of somebody else", swap: []string{`"@id"`, `"248289761002"`}, code: "issuer-mismatch"},
				{name: "no ID token", swap: []string{`,"id_token":"@id_token"`, ""}, code: "issuer-mismatch"},
				{name: "another nonce", claims: claims{"nonce": "other"}, code: "issuer-mismatch"},
				{name: "no nonce", claims: claims{"nonce": nil}, code: "issuer-mismatch"},
				{name: "another issuer", claims: claims{"iss": "https://id.example.com/realms/b"}, code: "issuer-mismatch"},
				{name: "another app", claims: claims{"aud": "other"}, code: "issuer-mismatch"},
				{name: "not signed", claims: claims{"(alg)": "none"}, code: "issuer-mismatch"},
			},
		},
		{
			row: "V28", connector: "lark", authorize: "https://accounts.feishu.cn/open-apis/authen/v1/authorize", query: map[string]string{"scope": "offline_access"},
			token: "POST https://open.feishu.cn/open-apis/authen/v2/oauth/token", tokenSent: []string{inJSON, `"code_verifier":`},
			answer:  `{"code":0,"access_token":"CANARY-access","expires_in":7200,"refresh_token":"CANARY-refresh","refresh_token_expires_in":604800,"token_type":"Bearer","scope":"auth:user.id:read offline_access"}`,
			answers: map[string]string{"GET https://open.feishu.cn/open-apis/authen/v1/user_info": `{"code":0,"msg":"success","data":{"name":"Ana Example","en_name":"Ana","avatar_url":"https://p16.feishucdn.com/a.jpg","open_id":"ou_1","union_id":"@id","email":"ana@example.com","tenant_key":"t"}}`},
			id:      "on-abc", want: auth.Identity{Subject: "on-abc", Email: "ana@example.com", Name: "Ana Example", Avatar: "https://p16.feishucdn.com/a.jpg"},
			refusal: `{"code":20003,"error":"invalid_grant","error_description":"The authorization code is invalid."}`, refused: "invalid_grant",
			cases: []signInCase{
				{name: "no e-mail", swap: []string{`"email":"ana@example.com",`, ""}, want: noEmail},
				{name: "an error with status 200", swap: []string{`{"code":0,"msg":"success"`, `{"code":20005,"msg":"invalid token"`}, code: "20005"},
			},
		},
		{
			row: "V28", connector: "lark", inputs: map[string]string{"domain": "larksuite.com"},
			authorize: "https://accounts.larksuite.com/open-apis/authen/v1/authorize", query: map[string]string{"scope": "offline_access"},
			token: "POST https://open.larksuite.com/open-apis/authen/v2/oauth/token", tokenSent: []string{inJSON},
			answer:  `{"code":0,"access_token":"CANARY-access","expires_in":7200,"refresh_token":"CANARY-refresh","token_type":"Bearer","scope":"offline_access"}`,
			answers: map[string]string{"GET https://open.larksuite.com/open-apis/authen/v1/user_info": `{"code":0,"data":{"name":"Ana","open_id":"ou_1","union_id":"@id"}}`},
			id:      "on-abc", want: auth.Identity{Subject: "on-abc", Name: "Ana"},
			refusal: `400 {"code":20048,"error":"invalid_client","error_description":"no such app"}`, refused: "invalid_client",
		},
		{
			row: "V29", connector: "microsoft", authorize: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
			query: map[string]string{"scope": "openid profile email User.Read offline_access", "response_mode": "query"},
			token: "POST https://login.microsoftonline.com/common/oauth2/v2.0/token", tokenSent: []string{verifier, inBody},
			answer: `{"token_type":"Bearer","scope":"openid profile email User.Read","expires_in":3599,"access_token":"CANARY-access","refresh_token":"CANARY-refresh","id_token":"@id_token"}`,
			claims: claims{
				"iss": "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0", "tid": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
				"oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "email": "ana@contoso.com",
				"verified_primary_email": []string{"ana@contoso.com"}, "preferred_username": "admin@victim.example", "ver": "2.0",
			},
			answers: map[string]string{
				"GET https://login.microsoftonline.com/common/discovery/v2.0/keys": theirKeys(),
				"GET https://graph.microsoft.com/v1.0/me":                          `{"@odata.context":"x","id":"@id","displayName":"Ana Example","mail":"admin@victim.example","userPrincipalName":"ana@contoso.com"}`,
			},
			id: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
			want: auth.Identity{
				Subject: "f8cdef31-a31e-4b4a-93e4-5f571e91255a#690222be-ff1a-4d56-abd1-7e4f7d38e474", Email: "ana@contoso.com", EmailVerified: true,
				Name: "Ana Example", Username: "ana@contoso.com",
			},
			refusal: `400 {"error":"invalid_grant","error_description":"AADSTS70008: The provided authorization code has expired.","error_codes":[70008]}`, refused: "invalid_grant",
			cases: []signInCase{
				{name: "an address that the directory made up", claims: claims{"email": "admin@victim.example", "verified_primary_email": nil}, want: func(id *auth.Identity) { id.Email, id.EmailVerified = "admin@victim.example", false }},
				{name: "made up, and another verified", claims: claims{"email": "admin@victim.example"}},
				{name: "of a domain whose owner is verified", claims: claims{"verified_primary_email": nil, "xms_edov": true}},
				{name: "of a domain whose owner is verified, as a number", claims: claims{"verified_primary_email": nil, "xms_edov": "1"}},
				{name: "of a domain whose owner is not", claims: claims{"verified_primary_email": nil, "xms_edov": false}, want: unverified},
				{name: "no verified address", claims: claims{"verified_primary_email": []string{}}, want: unverified},
				{name: "no e-mail, and mail is not asked", claims: claims{"verified_primary_email": nil, "email": nil}, want: noEmail},
				{name: "verified without being one", claims: claims{"verified_primary_email": nil, "email": nil, "xms_edov": true}, want: noEmail},
				{name: "of another directory than it says", claims: claims{"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, code: "issuer-mismatch"},
				{name: "of the template itself", claims: claims{"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}, code: "issuer-mismatch"},
				{name: "no ID token", swap: []string{`,"id_token":"@id_token"`, ""}, code: "issuer-mismatch"},
			},
		},
	}
}
