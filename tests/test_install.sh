#!/bin/sh
# What `make install` gives: programs, library, header, lsdn.pc, man pages, presets, example. The example is compiled with what pkg-config says and
# nothing else, as C and C++, shared and static, and must find what lsdn-explain finds.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_install.sh
srcdir=${srcdir-.} build=$PWD
. "$srcdir/tests/programs_lib.sh"
MAKE=${MAKE-make} CC=${CC-cc} CXX=${CXX-g++} SANITIZE=${SANITIZE-}
unset MAKEFLAGS MFLAGS MAKELEVEL
stage=$work/stage

works "make install" $MAKE -C "$build" install DESTDIR="$stage"
test -d "$stage" || exit 1
found() { find "$stage" -path "*/$1" | head -n 1; }
for file in bin/lsdn-explain bin/lsdn-bandit bin/lsdn-calibrate bin/lsdn-evaluate include/lsdn.h liblsdn.a liblsdn.so liblsdn.so.0 pkgconfig/lsdn.pc man3/lsdn.3 \
	lsdn/weights/googlenet.cfg README LICENSE examples/embed.c examples/torchvision.cfg; do
	true_that "$file is installed" test -n "$(found $file)"
done
true_that "nothing of the build but these" test -z "$(find "$stage" -name '*.o' -o -name '*.lo' -o -name 'test_*' -o -name 'libcore*')"

# Names: what the header declares, and no other.
sed -n 's/^LSDN_API.*[ *]\(lsdn_[a-z_]*\)(.*/\1/p' "$(found include/lsdn.h)" | sort >declared
true_that "the header declares functions" test "$(wc -l <declared)" -ge 10
nm -D --defined-only "$(found liblsdn.so)" | awk 'NF == 3 { print $3 }' | sort >shared
nm -g --defined-only "$(found liblsdn.a)" | awk 'NF == 3 { print $3 }' | sort >static
for kind in shared static; do
	diff declared "$kind" | head -n 5
	true_that "the $kind library defines what the header declares alone" cmp declared "$kind"
done

# Man pages.
if test -z "$(found man1/lsdn-explain.1)"; then skip "man pages of programs: built without help2man"; fi
if command -v groff >/dev/null; then
	for page in $(find "$stage" -name '*.[13]'); do
		groff -ww -mandoc -Tutf8 "$page" 2>warnings >/dev/null
		head -n 3 warnings
		true_that "${page##*/} has no warnings" test ! -s warnings
	done
else skip "rendering man pages: no groff"; fi

# The example, and the same in a program with names of its own.
PKG_CONFIG_PATH=$(dirname "$(found pkgconfig/lsdn.pc)")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
libraries=$(dirname "$(found liblsdn.so)")
example=$(found examples/embed.c)
strict="-Wall -Wextra -Werror -pedantic $SANITIZE"
echo 'int net_open = 1, error_set = 2, pb_decode = 3, EMBEDDED_ONNX = 4, photo_read = 5;' >own.c
works "compile with the shared library" $CC $strict -std=c99 "$example" -o shared $(pkg-config --cflags --libs lsdn)
works "and names of one's own" $CC $SANITIZE "$example" own.c -o shared-own $(pkg-config --cflags --libs lsdn)
if test -z "$SANITIZE" && command -v "$CXX" >/dev/null; then
	works "compile as C++" $CXX $strict -x c++ "$example" -o cxx $(pkg-config --cflags --libs lsdn)
else skip "compile as C++: no $CXX, or sanitizers of another compiler"; fi
mkdir only-shared && mv "$libraries"/liblsdn.so* only-shared
works "compile with the static library" $CC $strict "$example" -o static $(pkg-config --static --cflags --libs lsdn)
works "and names of one's own, statically" $CC $SANITIZE "$example" own.c -o static-own $(pkg-config --static --cflags --libs lsdn)
mv only-shared/* "$libraries"
true_that "static is static" sh -c '! readelf -d static | grep -q liblsdn'
true_that "shared is shared" sh -c 'readelf -d shared | grep -q liblsdn.so.0'
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# What they find.
bin=$(dirname "$(found bin/lsdn-explain)")
works "generate images" "$bin/lsdn-calibrate" --generate data --images 3
true_that "lsdn-explain looks for presets where they are installed" grep -q -a -F "$(found lsdn/weights/googlenet.cfg | sed -e "s#^$stage##" -e 's#/googlenet.cfg$##')" "$bin/lsdn-explain"
photo=data/images/generated_00000002.png
works "lsdn-explain" "$bin/lsdn-explain" --json "$photo"
name=$(sed -n 's/.*"name":"\([^"]*\)".*/\1/p' stdout)
box=$(sed -n 's/.*"box":\[\([0-9,]*\)\].*/\1/p' stdout | tr ',' ' ')
true_that "finds a box" test -n "$box"
for program in shared shared-own cxx static static-own; do
	test -f $program || continue
	works "$program runs" ./$program "$photo"
	printed "^$name, probability" "$program names the class that lsdn-explain names"
	printed "^box $box\$" "$program finds the box that lsdn-explain finds"
done
gives 1 'embed: .*missing.png.*No such file' "the example says what is wrong" ./shared missing.png
gives 1 'usage: embed' "and how it is used" ./shared
works "make uninstall" $MAKE -C "$build" uninstall DESTDIR="$stage"
find "$stage" ! -type d | head -n 3
true_that "leaves no file" test -z "$(find "$stage" ! -type d)"
summary
