// Package connect opens S3 and SFTP connections from plain options and says with errkind who can
// fix a failure: the operator whose credentials or host keys are refused, the author of the
// workspace, or nobody but time. Sources and destinations are built on it; it knows neither.
package connect
