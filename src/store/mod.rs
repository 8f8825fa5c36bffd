//! What outlives the process: meetings, numbers, passcodes, links, snapshots, accounts. SQLite.
