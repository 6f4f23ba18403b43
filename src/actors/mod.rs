//! The machines alive on actix: every DM server, every DM client and every bootstrap server is an actor.
//!
//! | file | its job |
//! |---|---|
//! | [`blueprint`] | all parties of a run as settings: enough to build any actor's machines |
//! | [`dm_server`], [`dm_client`], [`bootstrap_server`] | the three kinds of party |
//! | [`board`] | what has been seen of each device, in one order; gates that wait for it |
//! | [`sight`] | whatever is seen goes to the board, and to servers at which a fault waits for it |
//! | [`ordeal`], [`desk`] | what one exchange has to suffer; what of that is left to the answering side |
//! | [`stores`] | the durable stores of servers, which outlive their actors |
//! | [`reception`] | from an HTTPS request to a party's mailbox and back |
//! | [`far_side`] | what the far side of an exchange would do, done at our end where it is somebody else's |
//! | [`processes`] | which device a process is about that only others know |
//! | [`workers`] | a server that works on so many messages at once, each for a fixed time |
//! | [`relay`] | between two servers that are both somebody else's |
//! | [`tape`] | every exchange with somebody else's servers, kept to be written |
//! | [`outside`] | parties that are somebody else's: woken, and asked to start flows |
//! | [`drive`] | the one timer of an actor, and who notices its death |
//! | [`identities`] | what devices show to those they call |
//! | [`lane`] | what the actors of one arbiter share |
//! | [`supervisor`] | starts the actors of one arbiter, and replaces those that panicked |
//! | [`directory`] | where every party's actor is now |
//! | [`swarm`] | the journeys: starts each step at its moment, and knows when a flow has ended |
//! | [`travel`], [`chronicle`] | one device on its journey; what the swarm has seen of the run |
//! | [`tales`] | the flows that are told of in full |
//! | [`present_flows`] | which flow is under way on each device, for whoever counts by flow |
//! | [`pacemaker`] | wakes the swarm at a moment, more exactly than an event loop does |
//! | [`queue`], [`probe`] | how many messages wait for a server; how late a thread's timers fire |

pub mod blueprint;
pub mod board;
pub mod bootstrap_server;
pub mod chronicle;
pub mod desk;
pub mod directory;
pub mod dm_client;
pub mod dm_server;
pub mod drive;
pub mod far_side;
pub mod identities;
pub mod lane;
pub mod ordeal;
pub mod outside;
pub mod pacemaker;
pub mod present_flows;
pub mod probe;
pub mod processes;
pub mod queue;
pub mod reception;
pub mod relay;
pub mod sight;
pub mod stores;
pub mod supervisor;
pub mod swarm;
pub mod tales;
pub mod tape;
pub mod travel;
pub mod workers;
