//go:build !unix

package foldersource

import "io/fs"

func number(fs.FileInfo) string { return "" }
