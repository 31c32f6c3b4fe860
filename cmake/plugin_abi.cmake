# SPDX-License-Identifier: Apache-2.0
#
# Run as `cmake -DOUT=... -DTEXT=... -DVERSION_FILE=... -DFILES=... -P`: writes the header that names
# the binary interface of plugins: the version, and a hash of all that a plugin is compiled against,
# the FILES with commas between them.
file(STRINGS ${VERSION_FILE} version REGEX "kVersion")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" version "${version}")
string(REPLACE "," ";" FILES "${FILES}")
foreach(file ${FILES})
  file(SHA256 ${file} hash)
  string(APPEND TEXT " ${hash}")
endforeach()
string(SHA256 digest "${TEXT}")
string(SUBSTRING ${digest} 0 16 digest)
file(WRITE ${OUT} "#define BESS_PLUGIN_ABI \"${version}-${digest}\"\n")
