#include "bindings/errors.hpp"

#include <pybind11/pybind11.h>

#include <exception>

#include "support/error.hpp"
#include "support/parallel.hpp"

namespace mlestar::bindings {
namespace {

// Polled between blocks with the GIL let go: true leaves the Python error set, for the translator
// to raise.
bool interrupted() {
    pybind11::gil_scoped_acquire acquired;
    return PyErr_CheckSignals() != 0;
}

}  // namespace

void register_errors() {
    set_interrupt_check(interrupted);
    pybind11::register_exception_translator([](std::exception_ptr caught) {
        try {
            if (caught) std::rethrow_exception(caught);
        } catch (const interrupted_error&) {
            if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
        } catch (const argument_error& error) {
            PyErr_SetString(PyExc_ValueError, error.what());
        } catch (const io_error& error) {
            PyErr_SetObject(PyExc_OSError, pybind11::make_tuple(error.code(), error.what()).ptr());
        }
    });
}

}  // namespace mlestar::bindings
