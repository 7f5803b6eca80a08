// What a script imports that would use TCP and UDP.
import '@sock/core';
import '@sock/inet';
