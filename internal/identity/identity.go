// Package identity holds identity namespaces and their types. Prospects may use namespaces of
// type Partner ID only (ID-3), which keeps them apart from first-party profiles: this package
// knows the types and the standard namespaces, and says which of them prospects may use. It also
// writes addresses and telephone numbers as the hashed namespaces want them (ID-21), and hashes.
// It performs no I/O.
package identity

import "slices"

// Type is the kind of identifier that a namespace holds (ID-7).
type Type string

// The seven identity types.
const (
	CookieID    Type = "Cookie ID"
	CrossDevice Type = "Cross-Device ID"
	DeviceID    Type = "Device ID"
	Email       Type = "Email address"
	Phone       Type = "Phone number"
	NonPeople   Type = "Non-people identifier"
	PartnerID   Type = "Partner ID"
)

// Types lists the identity types in the order in which the documentation does.
var Types = []Type{CookieID, CrossDevice, DeviceID, Email, Phone, NonPeople, PartnerID}

// Valid reports whether t is one of the seven types.
func (t Type) Valid() bool { return slices.Contains(Types, t) }

// AllowedForProspects reports whether prospects may be identified by namespaces of this type.
func (t Type) AllowedForProspects() bool { return t == PartnerID }

// Namespace says what an identity value means: the same value in two namespaces is two people (ID-16).
type Namespace struct {
	Name        string // display name
	Symbol      string // unique code, immutable once applied
	Type        Type
	Description string
}

// Standard lists the namespaces that exist without being declared (ID-13). None is of type
// Partner ID, so none is eligible for a prospect schema.
var Standard = []Namespace{
	{Name: "AdCloud", Symbol: "AdCloud", Type: CookieID},
	{Name: "Adobe Analytics (Legacy ID)", Symbol: "AAID", Type: CookieID},
	{Name: "Apple IDFA (ID for Apple)", Symbol: "IDFA", Type: DeviceID},
	{Name: "Apple Push Notification service", Symbol: "APNS", Type: DeviceID},
	{Name: "CORE", Symbol: "CORE", Type: CookieID},
	{Name: "ECID", Symbol: "ECID", Type: CookieID},
	{Name: "Email", Symbol: "Email", Type: Email},
	{Name: "Emails (SHA256, lowercased)", Symbol: "Email_LC_SHA256", Type: Email},
	{Name: "Firebase Cloud Messaging", Symbol: "FCM", Type: DeviceID},
	{Name: "Google Ad ID (GAID)", Symbol: "GAID", Type: DeviceID},
	{Name: "Google Click ID", Symbol: "GCLID", Type: CookieID},
	{Name: "Phone", Symbol: "Phone", Type: Phone},
	{Name: "Phone (E.164)", Symbol: "Phone_E.164", Type: Phone},
	{Name: "Phone (SHA256)", Symbol: "Phone_SHA256", Type: Phone},
	{Name: "Phone (SHA256_E.164)", Symbol: "Phone_SHA256_E.164", Type: Phone},
	{Name: "TNTID", Symbol: "TNTID", Type: CookieID},
	{Name: "Windows AID", Symbol: "WAID", Type: DeviceID},
}
