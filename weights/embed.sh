#!/bin/sh
# embed.sh DIR: writes the embedded network in DIR as C, to standard output. Only tools of POSIX are used.
set -eu
array() { # array NAME FILE [ending bytes]
	printf '_Alignas(64) const unsigned char %s[] = {\n' "$1"
	od -An -v -tu1 "$2" | sed 's/[0-9][0-9]*/&,/g'
	printf '%s};\n' "${3-}"
}
printf '#include "config.h"\n\n#include "core/embedded.h"\n\n'
array EMBEDDED_ONNX "$1/embedded.onnx"
printf 'const size_t EMBEDDED_ONNX_SIZE = sizeof EMBEDDED_ONNX;\n'
array EMBEDDED_CFG "$1/embedded.cfg" 0
array EMBEDDED_LABELS "$1/embedded-labels.txt" 0
