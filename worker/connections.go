package main

import (
	"context"
	"io"

	"prospector/internal/connect"
	"prospector/internal/destination"
	"prospector/internal/destination/s3destination"
	"prospector/internal/destination/sftpdestination"
	"prospector/internal/filecodec"
	"prospector/internal/filecodec/parquetfile"
	"prospector/internal/pgp"
	"prospector/internal/source"
	"prospector/internal/source/foldersource"
	"prospector/internal/source/s3source"
	"prospector/internal/source/sftpsource"
	"prospector/internal/workspace"
)

// openSource resolves the references of a source, secrets among them, and connects.
func openSource(ctx context.Context, s *workspace.Source) (source.Source, error) {
	if s.Folder != nil {
		path, err := s.Folder.Path.Resolve()
		if err != nil {
			return nil, err
		}
		return foldersource.New(path)
	}
	if s.S3 != nil {
		options, err := s3Options(s.S3)
		if err != nil {
			return nil, err
		}
		return s3source.New(ctx, options)
	}
	options, err := sftpOptions(s.SFTP)
	if err != nil {
		return nil, err
	}
	return sftpsource.New(ctx, options)
}

// openDestination does the same for a destination.
func openDestination(ctx context.Context, d *workspace.Destination) (destination.Destination, error) {
	if d.S3 != nil {
		options, err := s3Options(d.S3)
		if err != nil {
			return nil, err
		}
		return s3destination.New(ctx, options)
	}
	options, err := sftpOptions(d.SFTP)
	if err != nil {
		return nil, err
	}
	return sftpdestination.New(ctx, options)
}

func s3Options(s *workspace.S3) (connect.S3Options, error) {
	out := connect.S3Options{Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix, PathStyle: s.PathStyle}
	settings := []setting{{&out.Endpoint, s.Endpoint}, {&out.AccessKey, s.AccessKey}, {&out.SecretKey, s.SecretKey}, {&out.SessionToken, s.SessionToken}}
	if s.Role != nil {
		out.Role.SessionName = s.Role.SessionName
		settings = append(settings, setting{&out.Role.ARN, s.Role.ARN}, setting{&out.Role.ExternalID, s.Role.ExternalID}, setting{&out.Role.Endpoint, s.Role.Endpoint})
	}
	return out, resolve(settings)
}

func sftpOptions(s *workspace.SFTP) (connect.SFTPOptions, error) {
	out := connect.SFTPOptions{Folder: s.Folder}
	err := resolve([]setting{{&out.Address, s.Address}, {&out.User, s.User}, {&out.Password, s.Password}, {&out.PrivateKey, s.PrivateKey},
		{&out.Passphrase, s.Passphrase}, {&out.HostKey, s.HostKey}, {&out.KnownHosts, s.KnownHosts}})
	return out, err
}

// openKeys resolves the references of a source's keys.
func openKeys(s *workspace.Source) (*pgp.Opener, error) {
	keys := pgp.Keys{Private: make([]string, len(s.Encryption.PGP.PrivateKeys)), SignedBy: make([]string, len(s.Encryption.PGP.SignedBy))}
	settings := []setting{{&keys.Passphrase, s.Encryption.PGP.Passphrase}}
	for i, reference := range s.Encryption.PGP.PrivateKeys {
		settings = append(settings, setting{&keys.Private[i], reference})
	}
	for i, reference := range s.Encryption.PGP.SignedBy {
		settings = append(settings, setting{&keys.SignedBy[i], reference})
	}
	if err := resolve(settings); err != nil {
		return nil, err
	}
	return pgp.New(keys)
}

// openParquet implements ingest.ParquetOpener.
func openParquet(file io.ReaderAt, size int64, wanted, whole []string) (filecodec.Reader, error) {
	opened, err := parquetfile.Open(file, size, wanted, whole)
	if err != nil {
		return nil, err // not a nil *Reader within the interface
	}
	return opened, nil
}

// setting is where a resolved reference goes.
type setting struct {
	value     *string
	reference interface{ Resolve() (string, error) }
}

func resolve(settings []setting) (err error) {
	for _, s := range settings {
		if *s.value, err = s.reference.Resolve(); err != nil {
			return err
		}
	}
	return nil
}
