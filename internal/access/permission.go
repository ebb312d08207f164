package access

// Permission is the right to do something in one area (AC-1, AC-2).
type Permission string

// The permissions that something asks for.
const (
	ManageNamespaces    Permission = "Manage Identity Namespaces"
	ManageSchemas       Permission = "Manage Schemas"
	ApplyLabels         Permission = "Apply Data Usage Labels"
	ManagePolicies      Permission = "Manage Data Usage Policies"
	ViewPolicies        Permission = "View Data Usage Policies"
	ViewDatasets        Permission = "View Datasets"
	ManageDatasets      Permission = "Manage Datasets"
	ManageSources       Permission = "Manage Sources"
	ViewProfiles        Permission = "View Profiles"
	ViewSegments        Permission = "View Segments"
	ManageSegments      Permission = "Manage Segments"
	EvaluateSegments    Permission = "Evaluate a Segment to an Audience"
	ViewDestinations    Permission = "View Destinations"
	ManageDestinations  Permission = "Manage Destinations"
	Activate            Permission = "Activate Destinations"
	ActivateNoMapping   Permission = "Activate Segment without Mapping"
	ViewUserActivityLog Permission = "View User Activity Log"
	ManageSandboxes     Permission = "Manage Sandboxes"
)

// Permissions are all that a role may hold. Those without a constant are for areas in which nothing asks for them yet, so that a file
// of roles can be written as its company has them.
var Permissions = []Permission{
	ManageNamespaces, "View Identity Namespaces", "View Identity Graph",
	ManageSchemas, "View Schemas", "Manage Identity Metadata",
	ApplyLabels, ManagePolicies, ViewPolicies,
	ManageDatasets, ViewDatasets, "Data Monitoring",
	ManageSources, "View Sources",
	"Manage Profiles", ViewProfiles, "Manage Merge Policies", "View Merge Policies",
	ManageSegments, ViewSegments, EvaluateSegments, "Export Audience for Segment",
	ManageDestinations, ViewDestinations, Activate, ActivateNoMapping,
	"Manage Data Hygiene", "View Data Hygiene",
	ViewUserActivityLog,
	"Manage Alerts", "View Alerts", "Resolve Alerts", "View Alerts History",
	ManageSandboxes, "View Sandboxes",
}
