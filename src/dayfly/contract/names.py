"""Full names of the services, as registries, manifests and sockets spell them."""

PLUGIN = "workflow.plugin.v1.PluginService"
REQUIRED = "workflow.plugin.external.iac.IaCProviderRequired"
RUNNER = "workflow.plugin.external.iac.IaCProviderRunner"
CANCELER = "workflow.plugin.external.iac.IaCProviderJobCanceler"
REGION_LISTER = "workflow.plugin.external.iac.IaCProviderRegionLister"
LOG_CAPTURE = "workflow.plugin.external.iac.IaCProviderLogCapture"
SUBMIT = "dayfly.v1.Submit"
OBSERVE = "dayfly.v1.Observe"
EVENTS = "dayfly.v1.Events"
INVENTORY = "dayfly.v1.Inventory"

#: What ``iacServices`` of a plugin.json may hold: the Go project looks for nothing else there,
#: and takes any other name for a service that is not served.
IAC = "workflow.plugin.external.iac."

#: Field of ``Services`` to the service that carries it.
CAPABILITIES: dict[str, str] = {
    "runner": RUNNER,
    "canceler": CANCELER,
    "submitter": SUBMIT,
    "observer": OBSERVE,
    "events": EVENTS,
    "inventory": INVENTORY,
    "regions": REGION_LISTER,
    "log_capture": LOG_CAPTURE,
}
