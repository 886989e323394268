// json_oracle.cc: the one C++ file behind json_oracle.h.
#include "capture/venue/binance/foreign/json_oracle.h"

#include <simdjson.h>

#include <cstring>
#include <string>

using simdjson::dom::array;
using simdjson::dom::element;

static bool print(element v, std::string &out) {
    std::string_view text;
    int64_t number;
    bool flag;
    array list;
    if (v.get(text) == simdjson::SUCCESS) {
        out += text;
    } else if (v.get(number) == simdjson::SUCCESS) {
        out += std::to_string(number);
    } else if (v.get(flag) == simdjson::SUCCESS) {
        out += flag ? "true" : "false";
    } else if (v.get(list) == simdjson::SUCCESS) {
        for (element level : list) {
            std::string_view px, qty;
            array pair;
            if (level.get(pair) != simdjson::SUCCESS || pair.size() != 2) return false;
            if (pair.at(0).get(px) != simdjson::SUCCESS) return false;
            if (pair.at(1).get(qty) != simdjson::SUCCESS) return false;
            out.append(px).append(":").append(qty).append(",");
        }
    } else {
        return false;
    }
    out += '\n';
    return true;
}

static bool find(element from, std::string path, element &out) {
    size_t dot = path.find('.');
    if (dot != std::string::npos) {
        element inner;
        return from[path.substr(0, dot)].get(inner) == simdjson::SUCCESS &&
               find(inner, path.substr(dot + 1), out);
    }
    return from[path].get(out) == simdjson::SUCCESS;
}

extern "C" int json_oracle_accepts(const char *text, size_t n) {
    simdjson::dom::parser parser;
    element doc;
    simdjson::error_code code = parser.parse(simdjson::padded_string(text, n)).get(doc);
    return code == simdjson::NUMBER_ERROR ? -1 : code == simdjson::SUCCESS;
}

extern "C" size_t json_oracle_values(
    const char *text, size_t n, const char *keys, char *out, size_t cap) {
    simdjson::dom::parser parser;
    simdjson::padded_string copy(text, n);
    element doc, data, value;
    if (parser.parse(copy).get(doc) != simdjson::SUCCESS) return 0;
    if (doc["data"].get(data) == simdjson::SUCCESS) doc = data;
    std::string all, list(keys);
    for (size_t at = 0; at < list.size();) {
        size_t end = list.find(' ', at);
        if (end == std::string::npos) end = list.size();
        if (!find(doc, list.substr(at, end - at), value) || !print(value, all)) return 0;
        at = end + 1;
    }
    if (all.size() >= cap) return 0;
    std::memcpy(out, all.c_str(), all.size() + 1);
    return all.size();
}
