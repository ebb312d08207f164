package connect

type Role struct{ ARN, ExternalID, SessionName, Endpoint string }
