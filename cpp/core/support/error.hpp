// The few errors the core throws. The bindings map each to one Python exception, in one place.
#pragma once

#include <stdexcept>
#include <string>

namespace mlestar {

// A value that no caller may pass: ValueError in Python. Names the argument, what it was, what it
// must be.
class argument_error : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

// The system refused to read or write: OSError in Python, with the system's number.
class io_error : public std::runtime_error {
public:
    io_error(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
    int code() const { return code_; }

private:
    int code_;
};

// The interrupt check asked to stop (Ctrl-C): the pending Python error is raised as it is.
class interrupted_error : public std::runtime_error {
public:
    interrupted_error() : std::runtime_error("interrupted") {}
};

}  // namespace mlestar
