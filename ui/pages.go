package ui

// everyPage holds one value of each page there is.
func everyPage() []Page {
	return []Page{
		PickerPage{},
		ConnectPage{},
		FormPage{},
		FragmentPage{},
		LaunchPage{},
		LeavePage{},
		WaitPage{},
		ChoicePage{},
		WrongAccountPage{},
		ResultPage{},
		LoginPage{},
		ErrorPage{},
		HomePage{},
		ConnectorsPage{},
		ConnectorPage{},
		ConnectorRequestsPage{},
		ConnectorDefinitionPage{},
		ConnectionsPage{},
		ConnectionPage{},
		DisconnectPage{},
		APIKeysPage{},
		APIKeyCreatedPage{},
		EventsPage{},
	}
}
