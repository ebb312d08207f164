package workspace

import (
	"strings"

	"prospector/internal/yamldoc"
)

// Connection reaches a server. Exactly one of s3 and sftp is given.
type Connection struct {
	// S3 bucket, of AWS or any server that speaks its protocol.
	S3 *S3 `yaml:"s3"`
	// SFTP server.
	SFTP *SFTP `yaml:"sftp"`
}

// S3 is a bucket and the keys to it. Without keys AWS's default credential chain applies.
type S3 struct {
	// Endpoint of the server; leave it out for AWS itself.
	Endpoint Reference `yaml:"endpoint"`
	// Region of the bucket.
	Region string `yaml:"region"`
	// Bucket name.
	Bucket string `yaml:"bucket" jsonschema:"required,pattern=\\S"`
	// Prefix is the folder in the bucket.
	Prefix string `yaml:"prefix"`
	// AccessKey id.
	AccessKey Reference `yaml:"accessKey"`
	// SecretKey that goes with the access key.
	SecretKey Secret `yaml:"secretKey"`
	// SessionToken of temporary keys.
	SessionToken Secret `yaml:"sessionToken"`
	// Role to assume with these keys, or with the default credential chain.
	Role *Role `yaml:"role"`
	// PathStyle puts the bucket into the path; most servers other than AWS need it.
	PathStyle bool `yaml:"pathStyle"`
}

// Role is an AWS role that gives access to a bucket.
type Role struct {
	// ARN of the role.
	ARN Reference `yaml:"arn" jsonschema:"required,pattern=\\S"`
	// ExternalID that the role's owner asks for.
	ExternalID Reference `yaml:"externalId"`
	// SessionName under which the owner's logs show us; prospector unless given.
	SessionName string `yaml:"sessionName"`
	// Endpoint of the token service; leave it out for AWS itself.
	Endpoint Reference `yaml:"endpoint"`
}

// SFTP is a server, the account and its pinned host key.
type SFTP struct {
	// Address as host:port.
	Address Reference `yaml:"address" jsonschema:"required,pattern=\\S"`
	// User of the account.
	User Reference `yaml:"user" jsonschema:"required,pattern=\\S"`
	// Password of the account; or use privateKey.
	Password Secret `yaml:"password"`
	// PrivateKey in PEM or OpenSSH form.
	PrivateKey Secret `yaml:"privateKey"`
	// Passphrase of the private key.
	Passphrase Secret `yaml:"passphrase"`
	// HostKey of the server, one line as in authorized_keys; it is always verified.
	HostKey Reference `yaml:"hostKey"`
	// KnownHosts instead of hostKey: the content of a known_hosts file, such as ${file:/etc/ssh/ssh_known_hosts}.
	KnownHosts Reference `yaml:"knownHosts"`
	// Folder on the server.
	Folder string `yaml:"folder"`
}

func (l *loader) checkConnection(o object, c Connection) {
	switch {
	case c.S3 != nil && c.SFTP != nil:
		l.at(o, "sftp").keyProblem("leave one of them out", "it has two connections, s3 and sftp")
	case c.S3 != nil:
		if (c.S3.AccessKey == "") != (c.S3.SecretKey == "") {
			l.at(o, "s3").keyProblem("leave both out to use AWS's default credential chain", "s3 needs accessKey and secretKey together")
		}
		l.checkReferences(l.at(o, "s3"), map[string]Reference{"endpoint": c.S3.Endpoint, "accessKey": c.S3.AccessKey})
		if role := c.S3.Role; role != nil {
			l.checkReferences(l.at(o, "s3", "role"), map[string]Reference{"arn": role.ARN, "externalId": role.ExternalID, "endpoint": role.Endpoint})
		}
		l.checkLiterals(l.at(o, "s3"), map[string]string{"region": c.S3.Region, "bucket": c.S3.Bucket, "prefix": c.S3.Prefix})
	case c.SFTP != nil:
		if (c.SFTP.Password == "") == (c.SFTP.PrivateKey == "") {
			l.at(o, "sftp").keyProblem("give one of them", "sftp needs either password or privateKey")
		}
		if c.SFTP.Passphrase != "" && c.SFTP.PrivateKey == "" {
			l.at(o, "sftp", "passphrase").keyProblem("leave it out", "passphrase goes with privateKey only")
		}
		if (c.SFTP.HostKey == "") == (c.SFTP.KnownHosts == "") {
			l.at(o, "sftp").keyProblem("give one of them: the line that ssh-keyscan prints, once the partner has confirmed it", "sftp needs either hostKey or knownHosts; without one, anybody could pass for the server")
		}
		l.checkReferences(l.at(o, "sftp"), map[string]Reference{"address": c.SFTP.Address, "user": c.SFTP.User, "hostKey": c.SFTP.HostKey, "knownHosts": c.SFTP.KnownHosts})
		l.checkLiterals(l.at(o, "sftp"), map[string]string{"folder": c.SFTP.Folder})
	default:
		l.at(o).problem("add s3: {bucket: …} or sftp: {address: …}", "it has no connection to a server")
	}
}

func (l *loader) checkReferences(at place, values map[string]Reference) {
	for _, key := range sortedKeys(values) {
		if broken := values[key].malformed(); broken != "" {
			at.in(key).problem("write ${env:NAME} or ${file:/path}", "%s in %s is neither a value nor a reference", broken, key)
		}
	}
}

// checkLiterals refuses references where they would be taken as they are written.
func (l *loader) checkLiterals(at place, values map[string]string) {
	for _, key := range sortedKeys(values) {
		if strings.Contains(values[key], "${") {
			at.in(key).problem("write the value itself", "%s cannot be a reference", key)
		}
	}
}

// object is what every kind has: a name, and the document in which it stands.
type object interface {
	name() string
	kind() string
	Declared() (any, error)
	At(path ...string) yamldoc.Position
	KeyAt(path ...string) yamldoc.Position
}
