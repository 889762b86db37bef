"""All routes of the API, in the order in which the OpenAPI document lists them."""

from ..routing import Route
from . import documents, feedback, scans, service

ROUTES: tuple[Route, ...] = scans.ROUTES + feedback.ROUTES + service.ROUTES + documents.ROUTES
