package avalara

// Paths of the identity service's other endpoints. Source: the live discovery
// document of https://identity.avalara.com, captured 2026-06-20; verified.
const (
	PathAuthorize           = "/connect/authorize"
	PathUserInfo            = "/connect/userinfo"
	PathEndSession          = "/connect/endsession"
	PathCheckSession        = "/connect/checksession"
	PathRevocation          = "/connect/revocation"
	PathIntrospection       = "/connect/introspect"
	PathDeviceAuthorization = "/connect/deviceauthorization"
	PathRegistration        = "/register/public"
)

// Metadata is the identity service's discovery document, member by member in
// the order of the live one. Source: the document of
// https://identity.avalara.com, captured 2026-06-20; verified. That the
// sandbox lists the same values is assumed.
type Metadata struct {
	Issuer                             string   `json:"issuer"`
	JWKSURI                            string   `json:"jwks_uri"`
	AuthorizationEndpoint              string   `json:"authorization_endpoint"`
	TokenEndpoint                      string   `json:"token_endpoint"`
	UserInfoEndpoint                   string   `json:"userinfo_endpoint"`
	EndSessionEndpoint                 string   `json:"end_session_endpoint"`
	CheckSessionIframe                 string   `json:"check_session_iframe"`
	RevocationEndpoint                 string   `json:"revocation_endpoint"`
	IntrospectionEndpoint              string   `json:"introspection_endpoint"`
	DeviceAuthorizationEndpoint        string   `json:"device_authorization_endpoint"`
	FrontchannelLogoutSupported        bool     `json:"frontchannel_logout_supported"`
	FrontchannelLogoutSessionSupported bool     `json:"frontchannel_logout_session_supported"`
	BackchannelLogoutSupported         bool     `json:"backchannel_logout_supported"`
	BackchannelLogoutSessionSupported  bool     `json:"backchannel_logout_session_supported"`
	ScopesSupported                    []string `json:"scopes_supported"`
	ClaimsSupported                    []string `json:"claims_supported"`
	GrantTypesSupported                []string `json:"grant_types_supported"`
	ResponseTypesSupported             []string `json:"response_types_supported"`
	ResponseModesSupported             []string `json:"response_modes_supported"`
	TokenEndpointAuthMethodsSupported  []string `json:"token_endpoint_auth_methods_supported"`
	IDTokenSigningAlgValuesSupported   []string `json:"id_token_signing_alg_values_supported"`
	SubjectTypesSupported              []string `json:"subject_types_supported"`
	CodeChallengeMethodsSupported      []string `json:"code_challenge_methods_supported"`
	RequestParameterSupported          bool     `json:"request_parameter_supported"`
	RegistrationEndpoint               string   `json:"registration_endpoint"`
}

// MetadataOf returns the live document with every URL under issuer, which must
// not end in a slash. Neither of [Scopes] is in ScopesSupported: they are
// hidden.
func MetadataOf(issuer string) Metadata {
	return Metadata{
		Issuer:                             issuer,
		JWKSURI:                            issuer + PathJWKS,
		AuthorizationEndpoint:              issuer + PathAuthorize,
		TokenEndpoint:                      issuer + PathToken,
		UserInfoEndpoint:                   issuer + PathUserInfo,
		EndSessionEndpoint:                 issuer + PathEndSession,
		CheckSessionIframe:                 issuer + PathCheckSession,
		RevocationEndpoint:                 issuer + PathRevocation,
		IntrospectionEndpoint:              issuer + PathIntrospection,
		DeviceAuthorizationEndpoint:        issuer + PathDeviceAuthorization,
		FrontchannelLogoutSupported:        true,
		FrontchannelLogoutSessionSupported: true,
		BackchannelLogoutSupported:         true,
		BackchannelLogoutSessionSupported:  true,
		ScopesSupported: []string{
			"openid", "profile", "email", "phone", "address", "avatax", "testscope-3", "orl", "svr", "testscope-2",
			"studio.connector.adapter", "saas_vat_reporting", "avatax_account_override", "excise", "ecm", "testscope-1",
			"studio.connector", "studio.extractor.adapter", "testscope-4", "crr_api", "content-studio-sourcing:read",
			"content-studio-compliance:read", "content-studio-sourcing:write", "cross-border-quoting",
			"provisioning_agent", "elr.audit.publish", "content-studio-compliance:write", "offline_access",
		},
		ClaimsSupported: []string{
			"sub", "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
			"picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified",
			"phone_number", "phone_number_verified", "address", "avatax_user_id", "avatax_account_id",
			"svr_customer_id", "studio.connector.adapter:read", "studio.connector.adapter:write",
			"studio.connector.adapter:review", "account_override_event_id", "override_avatax_account_id",
			"audit_message", "ecm_role", "studio.connector:read", "studio.connector:write", "studio.connector:review",
			"studio.connector:admin", "studio.connector:superadmin", "studio.extractor.adapter:read",
			"studio.extractor.adapter:write", "studio.extractor.adapter:review",
		},
		GrantTypesSupported: []string{
			"authorization_code", "client_credentials", "refresh_token", "implicit", "password",
			"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange",
		},
		ResponseTypesSupported: []string{
			"code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token",
		},
		ResponseModesSupported:            []string{"form_post", "query", "fragment"},
		TokenEndpointAuthMethodsSupported: []string{"client_secret_basic", "client_secret_post", "private_key_jwt"},
		IDTokenSigningAlgValuesSupported:  []string{"RS256"},
		SubjectTypesSupported:             []string{"public"},
		CodeChallengeMethodsSupported:     []string{"plain", "S256"},
		RequestParameterSupported:         true,
		RegistrationEndpoint:              issuer + PathRegistration,
	}
}
