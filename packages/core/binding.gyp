{
  "variables": { "addon_asan%": "0", "addon_coverage%": "0" },
  "targets": [
    {
      "target_name": "core",
      "sources": ["<!@(ls native/*.cc)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-fvisibility=hidden"],
      "cflags_cc": ["-std=c++17", "-O2"],
      "conditions": [
        ["addon_asan==1", {
          "cflags": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g"],
          "ldflags": ["-fsanitize=address,undefined"]
        }],
        ["addon_coverage==1", { "cflags": ["--coverage", "-O0"], "ldflags": ["--coverage"] }]
      ]
    }
  ]
}
