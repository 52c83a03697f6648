#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

namespace relay {

/// Whether whoever asks is a browser that wants to show a page: its Accept names text/html before application/json. Programs
/// that accept anything (curl, fetch) do not.
bool prefersPage(const HttpRequest &request);

/// An error in the form that this request prefers: for a browser a page with the status and the sentence, which needs nothing from
/// elsewhere and runs no script. Everything that is not an error is returned as it is.
HttpResponse shownTo(bool prefersPage, HttpResponse response);

} // namespace relay
