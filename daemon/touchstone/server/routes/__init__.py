"""All routes of the API, in the order in which the OpenAPI document lists them."""

from ..routing import Route
from . import calibration, documents, feedback, scans, service

ROUTES: tuple[Route, ...] = (
    scans.ROUTES + feedback.ROUTES + calibration.ROUTES + service.ROUTES + documents.ROUTES
)
